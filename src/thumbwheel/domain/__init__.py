"""The seven nouns of thumbwheel, as frozen values that know no framework and no store."""
