"""From judgements to labels: the codebook, who judges what, when an entry is settled, how well people agree."""
