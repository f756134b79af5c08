"""Turn a recipe into a plan: the matrix, the order of stages, cache keys.

Files:
    data_digests.py: digests of the rows a stage reads, so that other data give another cache key
    external_heads.py: what is known of the head of a model from outside before it is opened
    external_models.py: models from outside a recipe: a hub id, a directory, or one that an
        installed package carries
    faulty_rows.py: rows of declared tasks that no stage could read, found before any stage runs
    list_schedule.py: when each stage would begin, and where, if stages run at the same time
    matrix.py: fan a recipe out over its matrix
    memory.py: how much memory each stage will take, from the configs of its models and its keys
    model_shapes.py: the models that each stage is given, as far as they are known ahead
    plan.py: what a recipe will really run: checked, ordered, each stage with its cache key
    planned.py: a recipe's stages, ready to run, and all of them in an order in which inputs come
        first
    searched_text.py: texts that are embedded next to the rows of a task: what is searched for them
    source_text.py: looks at some rows of the source: how many there are, and how long
    stage_config.py: the keys of a stage, checked: every mistake at once
    stage_graph.py: order of stages: what a stage needs comes before it, otherwise as the recipe
        has it
    time.py: how long each stage will take, and how much disk
    without_text.py: what to change in a stage that reads multilingual text where the source has
        none
"""
