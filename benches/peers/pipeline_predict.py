"""The peer that predicts one text from the shell: transformers' pipeline. Prints one JSON line.

    pipeline_predict.py FOLDER TEXT
"""
import json
import sys

import torch
from transformers import pipeline

torch.set_num_threads(2)
print(json.dumps(pipeline("text-classification", model=sys.argv[1])(sys.argv[2])[0]))
