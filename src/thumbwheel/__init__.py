"""thumbwheel: user feedback and production traces in, labels, golden rows and fixes out."""
