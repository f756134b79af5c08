"""How the weights are trained; one file a method.

A method has

- `GIVES`: `checkpoint`, `adapter` (merges into its base) or `prompt` (does not);
- `check(format, precision, **options)`, which raises MethodError where they do not go together;
  it imports nothing heavy, so that a recipe is refused before anything runs;
- `prepare(model, format, precision, **options)`, which takes a loaded transformers model and
  returns the model to hand to the training loop;
- `save(model, out)`, which writes what a plain `from_pretrained` of transformers or peft opens.

It may also have `KEYS`, keys of the stage `train` that it reads besides the keyword arguments of
`check` and `prepare`; `lingopress ls methods NAME` lists both.

`format` is the format of the task trained, None for an encoder without a head. A method takes the
options it knows and lets the others be.
"""
