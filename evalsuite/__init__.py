"""Know tasks, data, metrics, runtimes and measurement.

`evalsuite` reads XTREME-R data from three sources, scores any checkpoint or exported bundle
with one piece of code, measures what it costs to run, and reports both. It imports none of
the other packages of this project, and importing it loads no torch.

Files:
    bootstrap.py: how much a score would vary over other rows of the same kind: percentile
        bootstrap
    catalog.py: components found by their file names: listing imports nothing, use imports one
        file
    errors.py: the exceptions of `evalsuite`
    evaluate.py: score one model on one task, in every language of the source
    evaluation.py: what one evaluation works on: the options, the open model, and the rows of each
        language
    family.py: what a model family is: where the parts of its models are
    family_classes.py: which class of transformers serves a format in a family
    family_parts.py: sizes, paths and rows of a model's parts, for families
    fertility.py: how a vocabulary treats the words of each language
    file_digest.py: SHA-256 of a file
    files_below.py: all files below a folder, in linked folders too
    find_family.py: the family of a model, by its model type
    home_path.py: paths that begin with `~`
    install_command.py: how to install an extra, from a checkout or not
    language_scores.py: the scores of all languages of one task, collected language by language
    iso_codes.py: codes of languages with three letters, and usual scripts
    languages.py: languages: what their two-letter codes stand for
    metric.py: what a metric is: from gold and predicted answers to a score in percent
    plain_config.py: what a model's config.json says, without transformers
    plugins.py: components from elsewhere: files named with `--plugin`, and those of installed
        packages
    registry.py: the catalogues of this package: what files there are of each kind
    scoring.py: scores of the answers to a task's rows: of its main metric, and of those scored
        with it
    task.py: what a task is: its metadata, its examples, and where its rows come from
    tokenization.py: the tokenizer of a checkpoint or bundle, through `tokenizers` alone
    word_width.py: width of the word embeddings, which may be narrower than the layers
"""
