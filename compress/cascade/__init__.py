"""Make a cascade of two or three models of the same labels.

Files:
    fit.py: temperatures and thresholds, from what the members say of dev rows
    make.py: the whole pass; runs the members, fits, and writes the bundle
    members.py: what the members are: same labels, names, what they say of rows
    readme.py: the README of the bundle
"""
