"""The command line: one function per command, and what the commands print.

Files:
    __main__.py: `python -m recipes.cli`
    app.py: the commands, their exit codes
    options.py: arguments and options that several commands share
    comma_list.py: lists on the command line
    result_commands.py: the commands that read outputs: report, compare, score
    model_commands.py: the commands that run a model over rows: predict, embed
    push_command.py: push: put a model on the Hugging Face hub
    serve_command.py: serve: answer HTTP requests
    row_progress.py: how far a run over rows is: a bar, or a line per minute
    demo_command.py: demo: a page that runs a bundle in a browser
    draft_commands.py: the commands that write recipes: init, shrink
    draft_options.py: arguments and options of `lingopress init`
    running.py: run a recipe and show what it does, on a terminal or line by line
    drafted.py: what init prints: what was seen in the files, and what to type next
    cache_commands.py: the commands on the cache: cache verify
    listings.py: what check, show, score and ls tasks NAME print
    memory_lines.py: what plan prints about memory
    plan_facts.py: all that plan says, before it is printed
    outlook.py: what stages would take, on this machine or on a cluster
    cluster_lines.py: what plan prints of the nodes of a cluster
    plan_lines.py: what plan prints
    plan_json.py: what plan --json prints
    components.py: what ls lists, by file names
    component_cards.py: what ls prints about one stage, task, method, pass or runtime
    key_tables.py: the keys of configs in words, with type, default and range
    reference_page.py: docs/reference.md, made from the key tables
    recipe_schema.py: the JSON Schema of recipes, for editors
    compare_runs.py: finds runs and puts them into one report
"""
