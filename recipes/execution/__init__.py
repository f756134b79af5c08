"""Run a plan: the cache, the workers, the display, the record of a run.

Files:
    cache.py: finished stages by key: made aside, published whole, found again
    cached_stages.py: list the stages of a workspace or of a shared cache, and remove those that no
        run names
    copy_stages.py: copy stages between a workspace and a shared cache, without making any
    display.py: what a person sees while a recipe runs
    find_outputs.py: find what a run left: its report, one of its models
    manifest.py: what a stage did and the files it made, with their digests; whether they are
        still the same
    output_capture.py: keep what libraries print while a stage runs out of the display, in a log
    run_note.py: the file that says where the outputs of a recipe's last run are
    run_options.py: how a recipe is run: from and until which stage, with how many jobs
    run_record.py: what a run left behind, and noting it in the workspace
    scheduler.py: when each stage is made: after what it needs, at the same time as others where
        there is room
    shared_cache.py: finished stages that several machines share, in a directory or an object store
    shared_stages.py: what a run takes from a shared cache and puts there
    stage_runner.py: make one stage of a plan: from the cache where it is there, else by its
        module
    stage_worker.py: what a worker process does: it makes the stages it is sent
    time_left.py: how long a running stage still takes, from its last reports
    stopped_work.py: find and remove the work of stages that were stopped and never went on
    token_files.py: find and remove token files of streamed text that no training reads
    verify.py: read every finished stage again and compare it with what was written
    worker_pool.py: processes that make stages side by side
    work_snapshots.py: snapshots of stages in the making, from which another machine goes on
    workspace.py: the directory a run works in
"""
