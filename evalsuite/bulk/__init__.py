"""Rows of files, however long: read in windows, answered by a model, written, gone on with.

Files:
    answer_rows.py: answer all rows of a table, window by window, and write them
    answered.py: rows with their answers, as they are written
    arrow_types.py: types of the columns of a parquet file that is written
    byte_stream.py: the bytes of a file or of standard input, unpacked, with the share that was read
    encode_arrow.py: answered rows as an Arrow stream, of which the parquet file is made
    encode_text.py: answered rows as JSON lines, CSV or TSV
    encode_vectors.py: vectors as one numpy array
    journal.py: what is written: standard output, or a file that is whole or not there
    open_rows.py: open a table of any kind that is read
    output.py: where answers go and in which form
    read_parquet.py: rows of a parquet file, one batch of them in memory at a time
    read_text.py: rows of text, one at a time: plain lines, CSV, TSV and JSON lines
    rows.py: a row that was read, and one that was not
    run_model.py: answer the rows of a file with a model, or turn them into vectors
    take_texts.py: the texts of a row
    text_shards.py: the texts of a corpus in shards: files, and parts of a data set on the hub
    windows.py: rows in windows: what is read, answered and written at once
"""
