"""Where rows come from: text files, the Hugging Face hub, parallel corpora, the embedded suite."""
