"""`--trace` and `wsgiraw trace`: what they tell is what happened, and all of it; without them nothing is there."""
