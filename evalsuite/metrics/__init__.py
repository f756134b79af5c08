"""Metrics: pure functions of gold and predicted rows, in percent.

Files:
    accuracy.py: share of rows with the right label
    answers.py: exact match and F1 of answers to questions, as SQuAD and as MLQA normalise them
    bootstrap.py: how much a score would vary over other rows of the same kind: percentile
        bootstrap
    calibration.py: expected calibration error: how far a model's probabilities are from how often
        it is right
    chance.py: what guessing scores: the lower bound that a score is compared with
    chunks.py: precision, recall and F1 of chunks, as conlleval and the XTREME scorer count them
    mining.py: precision, recall and F1 of mined sentence pairs (BUCC), and where to stop taking
        them
    ranking.py: mean average precision of ranked candidates: LAReQA and Mewsli-X
    retrieval.py: nearest neighbour among all English sentences, by cosine
    score.py: all scores of a task's predictions, by metric name
    titles.py: metrics: pure functions of gold and predicted rows, in percent
    token_accuracy.py: share of words with the right tag, whatever sentence they are in
"""
