"""Building the dataset: which stages there are, what is already done, who does the rest.

Read :mod:`pipelines.build` first: it is the ordered list of stages. A stage (:mod:`pipelines.stages`) reads, makes one
library call and writes; the ledger (:mod:`pipelines.ledger`) knows what is done; the runner (:mod:`pipelines.runner`)
does what is missing, in as many processes as it is given.
"""
