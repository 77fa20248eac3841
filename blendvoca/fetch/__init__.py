"""Downloads: what can be had (``registry``), how one file comes (``transfer``), many (``download``, ``package``).

The only package that touches the network, and only when it is called.
"""
