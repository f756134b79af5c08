"""Where rows come from: text files, the Hugging Face hub, parallel corpora, the embedded suite.

Files:
    answer_forms.py: the form in which answers to questions are compared, as SQuAD and as MLQA
        normalise them
    choices.py: questions with answers to choose from: what COPA, Cosmos QA and similar tasks share
    csv_reader.py: Python's reader of CSV, with one limit for a field wherever rows are read
    csv_separator.py: what separates the columns of a CSV file: commas or semicolons
    decoded.py: the text of a file of data, from its bytes: UTF-8 without a byte-order mark, or one
        message
    files.py: text files in the layouts of the XTREME download scripts, read with errors that name
        the line
    glue.py: pairs of sentences in the files of GLUE: a line of column names, then fields
        separated by tabs
    heldout.py: evaluation text, so that training text can be kept apart from it
    hub.py: rows of a pinned data set of the Hugging Face hub
    json_text.py: JSON in files of data, with errors that name the line
    left_out.py: rows that are read and not used: defects that published data are known for
    mining.py: sentences to be paired across two comparable corpora, most of which have no
        partner: BUCC 2018
    mistaken.py: files that are not what their name says: pointers, web pages, packed files
    nli.py: natural language inference: what XNLI, MNLI and SNLI share
    pairs.py: two sentences and a label: what the inference tasks and PAWS-X share
    parallel.py: parallel and one-language text for pretraining
    ranking.py: queries searched for in one pool of candidates of all languages: LAReQA and
        Mewsli-X
    sentences.py: contexts of question answering cut into sentences
    sourced.py: what the tasks share: one `load` over the three sources
    squad.py: questions about a context, answered by a span of it: what XQuAD, MLQA and
        TyDiQA-GoldP share
    tagging.py: one tag a word: what UD-POS and PAN-X share
    unlabelled.py: why rows cannot be scored: their labels are hidden
    unzstd.py: bytes packed with zstd, unpacked in parts; data that are cut short are an error
"""
