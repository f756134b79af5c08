"""Text for training: parallel text, augmentation, vocabularies.

Files:
    augment.py: training rows as other languages would have them: without capitals, or with words
        translated
    kept_text.py: the text of streamed rows, kept next to their token ids, for teachers
    lexical_init.py: start a multilingual embedding table from parallel text
    parallel_text.py: parallel and one-language text to train encoders on, evaluation text kept
        out
    sentence_pairs.py: rows of tasks as pairs of sentences that belong together, for contrastive
        training
    stream.py: text by language that is read as a stream of shards
    teacher_vectors.py: a teacher's sentence embeddings, computed once and kept
    token_shards.py: token ids of text, one Arrow file per shard, memory-mapped
    vocabulary.py: train a multilingual unigram vocabulary in XLM-R's layout
    word_translations.py: a dictionary read off parallel text: one translation a word and language
"""
