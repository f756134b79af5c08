"""Files of predictions in the benchmark's layout, and the scores of such folders.

Files:
    benchmark_means.py: which tasks and languages a benchmark's overall score is the mean of
    files.py: predictions as files, in the layout XTREME takes submissions in
    layouts.py: the layouts of prediction files: how each is read, and how its text is written
    score_folders.py: score folders of predictions against folders of labels, with no model
"""
