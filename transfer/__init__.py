"""Train: pretraining, intermediate and target tasks, adapters; one loop, objectives passed in.

Files:
    contrastive.py: align languages by contrast on parallel text, at a layer of an encoder
    encoder_shape.py: the shape of an encoder that is pretrained from scratch, and its config
    errors.py: the exceptions of `transfer`
    find_task.py: target and intermediate tasks under one roof
    pretrain.py: pretrain a multilingual encoder: masked LM, with translation LM on parallel text
    pretrain_stream.py: pretrain with masked LM on more text than memory holds
    registry.py: the catalogues of this package: the components of each kind, found by their file
        names
    sentence_teacher.py: what a multilingual sentence encoder provides, to be learnt from
"""
