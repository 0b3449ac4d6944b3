"""Does guidance work: experiments, their blocks, and what may be concluded from them."""
