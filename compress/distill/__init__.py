"""Train a smaller student to give the outputs of a teacher.

Files:

- `distill.py`: the whole pass, from the teacher's directory to the student's checkpoint.
- `options.py`: what the student is, and what it is trained to match.
- `rules.py`: which options fit together; called by `check` and by the pass.
- `model_rules.py`: which models can learn from which; called by both too.
- `consistent.py`: both, on the teacher and the options of a pass.
- `training_text.py`: reads the rows and the text, and plans the batches.
- `teachers.py`: opens a checkpoint or a bundle as a teacher.
- `label_order.py`: which order labels are in; teachers with other labels are refused.
- `targets.py`: the teacher's logits, computed once per row and kept on disk.
- `balance.py`: plain text drawn so that the teacher's labels are equally frequent.
- `balance_rules.py`: where that cannot be done.
- `plain_text.py`: multilingual text without labels, and pairs of translations.
- `whole_text.py`: text that fits the student's length, in place of text that is cut.
- `streamed_text.py`: multilingual text that is read as a stream.
- `student.py`: cuts a student from some of the teacher's layers.
- `greedy_layers.py`: finds the layers without which a model changes least.
- `narrow.py`: makes a student narrower than its teacher.
- `new_head.py`: an encoder gets its teacher's kind of head.
- `initial_student.py`: the student as it is before training.
- `student_batch.py`: one training batch, and what is matched on it.
- `dropout.py`: the student's dropout while it learns.
- `kept_logits.py`: whether a teacher's logits are kept, or computed with every batch.
- `losses.py`: the loss of one batch, one function per term.
- `relations.py`: the loss on attention relations (MiniLMv2).
- `own_pieces.py`: teacher and student with different tokenizers.
- `segments.py`: hidden states of models with different tokenizers.
- `elastic_cuts.py`: the sizes at which an elastic student is trained, and how a config has them.
- `elastic_training.py`: trains the student and, in each batch, one smaller cut of it.
- `sentences.py`: the loss on sentence embeddings.
"""
