"""How the weights are trained: one file per method, found by its name.

A method's module has

- `GIVES`: `checkpoint`, `adapter` (can be merged into its base) or `prompt` (cannot);
- `Options`, where it has options: a dataclass that declares each with its default, its limits and a
  sentence (`transfer.methods._options`);
- `check(format, precision, **options)`, which raises MethodError where they do not go together;
  it imports nothing heavy, so that a recipe is refused before anything runs;
- `prepare(model, format, precision, **options)`, which takes a loaded transformers model and
  returns the model to hand to the training loop;
- `save(model, out)`, which writes what plain transformers or peft opens with `from_pretrained`.

It may also have

- `refuse(model_type)`, which raises MethodError for families whose models it cannot train;
- `refuse_sizes(config, **options)`, which raises it where options ask for more layers, width or
  positions than a model of this config has; neither imports anything heavy;
- `KEYS`, keys of the stage `train` that it reads besides its `Options` and the keyword arguments of
  `check` and `prepare`; `lingopress ls methods NAME` lists all of them.

`format` is the format of the task, None for an encoder without a head. `options` are those of all
methods, together with `max_length`, `freeze_embeddings` and `gradient_checkpointing` of the
training; a method reads the ones it knows and ignores the others.

Files:
    `bitfit.py`: train the biases and the task head.
    `deep_prompt.py`: train keys and values of virtual tokens at every layer (prefix tuning).
    `full.py`: train every weight.
    `last_k.py`: train the top layers and the task head.
    `lora.py`: train low-rank updates of linear layers (LoRA, QLoRA, rsLoRA, DoRA).
    `soft_prompt.py`: train the embeddings of virtual tokens before the text.
    `_lora_start.py`: initial values of LoRA's matrices (PiSSA, LoftQ), and how they are saved.
    `_options.py`: how a method declares and reads its options.
    `_peft.py`: what methods share that write peft's format.
    `_prompts.py`: what both prompt methods share.
    `_sequential.py`: train a LoRA on top of another one, or from its weights.
    `_whole.py`: what methods share that write a whole checkpoint.
"""
