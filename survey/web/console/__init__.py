"""The bureau's desk: a module per page, server-drawn, complete without scripts.

Each page loads what it shows and names the command that does the same. Before a wave is
opened no page here can show a satisfaction figure, because nothing it may load holds one.
"""
