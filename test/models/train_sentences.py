# SPDX-License-Identifier: Apache-2.0
"""Trains the embed sample's sentence encoder and writes it as ONNX, with its vocabulary.

usage: train_sentences.py [--steps N]

Data: requests to a voice assistant, made from the patterns below; no text from elsewhere. Of the
sentences of each intent a fifth is held out. The network is a small MiniLM: token and
position embeddings, one transformer layer (4 heads, post-norm, Gelu), the mean over tokens, unit
length. Trained by contrast: two sentences of one intent are nearer to each other than to the
others of the batch (InfoNCE), with words replaced by [unk] at random, so that unknown
words are borne.

Writes python-free-samples/embed/{sentences.onnx,vocabulary.txt}; prints how many held-out
sentences have a training sentence of the same intent as their nearest.
Needs autograd for its gradients: pip install autograd==1.9.1.
"""
import argparse
import itertools
import pathlib
import re

import autograd.numpy as anp
import numpy as np
import onnx
from autograd import grad
from onnx import TensorProto, helper, numpy_helper

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "python-free-samples" / "embed"
TOKENS, WIDTH, HEADS, HIDDEN = 16, 48, 4, 96
PAD, UNK = 0, 1
rng = np.random.default_rng(11)

POLITE = "{|please|could you|can you|would you} "
INTENTS = {
    "light on": [POLITE + "{turn on|switch on|put on} the {light|lights|lamp|lamps} {|in the {kitchen|bedroom|bathroom}|now}",
                 "{turn|switch} the {light|lights|lamp} {in the kitchen|in the bedroom|} on {|please}",
                 "{it is|it's} {too|so|very} dark {in here|here|}", "{i need|we need|give me} {some|more} light {|here|in here}",
                 "make {it|the room|the bedroom|the kitchen} {brighter|bright|lighter}"],
    "light off": [POLITE + "{turn off|switch off|put out} the {light|lights|lamp|lamps} {|in the {kitchen|bedroom|bathroom}|now}",
                  "{turn|switch} the {light|lights|lamp} {in the kitchen|in the bedroom|} off {|please}",
                  "{it is|it's} {too|so|very} bright {in here|here|}", "make {it|the room|the bedroom|the kitchen} {darker|dark}",
                  "{no more light|lights out|less light} {|please|here}"],
    "warmer": [POLITE + "{turn up|raise|increase} the {heating|heat|temperature} {|in the {kitchen|bedroom|bathroom}|a bit}",
               "{it is|it's} {too|so|very} cold {in here|here|}", "{i am|i'm|we are} {freezing|cold|so cold}",
               "make {it|the room|the bedroom|the kitchen} {warmer|warm|hotter}", "{turn|switch|put} on the {heating|heater|radiator} {|please|now}"],
    "cooler": [POLITE + "{turn down|lower|reduce} the {heating|heat|temperature} {|in the {kitchen|bedroom|bathroom}|a bit}",
               "{it is|it's} {too|so|very} {hot|warm} {in here|here|}", "{i am|i'm|we are} {sweating|hot|boiling}",
               "make {it|the room|the bedroom|the kitchen} {cooler|cool|colder}", "{turn|switch|put} on the {fan|air conditioning|cooling} {|please|now}"],
    "weather": ["{what is|what's|how is|how's} the weather {|like} {today|tomorrow|outside|this weekend|}",
                "{will|is} it {going to rain|rain|snow|be sunny} {today|tomorrow|this weekend|}",
                "do i need {an umbrella|a coat|a jacket|sunglasses} {today|tomorrow|outside}",
                "{tell me|show me|give me} the {forecast|weather|weather report} {for today|for tomorrow|for the weekend|}",
                "how {warm|cold|hot} is it {outside|today|going to be tomorrow}"],
    "music": [POLITE + "{play|put on|start} {some|} {music|songs|jazz|rock|pop|a song} {|please|for me}",
              "{i want to|i'd like to|let me|let us} {listen to|hear} {some|} {music|jazz|rock|a song|my playlist}",
              POLITE + "play {my playlist|the radio|an album|something nice}"],
    "stop music": [POLITE + "{stop|pause|end|turn off|mute} {the|this} {music|song|radio|playlist} {|please|now}",
                   "{no more|enough|quiet with the} {music|songs|radio} {|please|for now}", "{be quiet|silence|stop playing|shut up} {|please|now}"],
    "louder": [POLITE + "{turn up|raise|increase} the {volume|sound|music} {|a bit|a little|please}",
               "{louder|play it louder|make it louder} {|please|a bit}", "i {can not|can't|cannot} hear {it|anything|the music|you}",
               "{it is|it's|the music is} too quiet"],
    "softer": [POLITE + "{turn down|lower|reduce} the {volume|sound|music} {|a bit|a little|please}",
               "{softer|not so loud|make it quieter|play it softer} {|please|a bit}", "{it is|it's|the music is} too loud"],
    "alarm": [POLITE + "{wake me|wake me up} {at|tomorrow at} {six|seven|eight|nine|ten} {|in the morning|o'clock}",
              POLITE + "set {an|the} alarm {for|at} {six|seven|eight|nine|ten|tomorrow morning} {|o'clock}",
              "i {have to|must|need to} get up {at|tomorrow at} {six|seven|eight|nine}"],
    "timer": [POLITE + "{set|start} a {timer|countdown} {for|of} {two|five|ten|twenty|thirty} {minutes|seconds}",
              "{count down|countdown} {from|for} {two|five|ten|twenty} {minutes|seconds}",
              "{tell me|remind me|let me know} {in|after} {two|five|ten|twenty|thirty} {minutes|seconds}"],
    "time": ["what {time is it|is the time|'s the time} {now|right now|}", "{tell me|show me|give me} the {time|current time} {|please|now}",
             "how late is it {|now|already}", "{do you know|can you tell me} {the time|what time it is}"],
    "date": ["what {day|date} is {it|today} {|today}", "{tell me|show me} {the date|today's date|which day it is} {|please}",
             "which {day|date|month} {is it|do we have} {today|now|}"],
    "call": [POLITE + "{call|phone|ring|dial} {mum|mom|dad|anna|peter|my wife|my brother|the doctor|the office} {|now|please}",
             "i {want|need} to {talk to|speak to|speak with|call} {mum|dad|anna|peter|my brother|the doctor}",
             "make a {call|phone call} to {mum|dad|anna|peter|the office}"],
    "message": [POLITE + "{send|write|text} {a message|an email|a text|a mail} to {mum|dad|anna|peter|my wife|my brother|the office}",
                "{text|message|email|write to} {mum|dad|anna|peter|my brother} that {i am late|i am coming|dinner is ready}",
                "{tell|let} {mum|dad|anna|peter} {know|} that {i am late|i will be late|dinner is ready}"],
    "shopping": [POLITE + "{add|put} {milk|bread|eggs|butter|apples|coffee|cheese} {to|on} {the|my} {shopping list|list|groceries}",
                 "{we need|i need|buy|remember to buy|get} {some|} {milk|bread|eggs|butter|apples|coffee|cheese} {|please|at the shop}",
                 "{we are|we're} {out of|low on} {milk|bread|eggs|butter|apples|coffee|cheese}"],
    "route": ["how do i get to {the station|the airport|work|the city|the hotel|the museum} {|from here}",
              "{show me|find|what is|give me} the {way|route|fastest way|directions} to {the station|the airport|work|the city|the hotel|the museum}",
              "{navigate|drive|take me|bring me} to {the station|the airport|work|the city|the hotel|the museum}"],
    "food": ["{where can i|where can we} {eat|get lunch|get dinner|have dinner|get a pizza} {|near here|nearby|tonight}",
             "{find|show me|book|reserve} {a|a table in a|a good} restaurant {|near here|nearby|for tonight}",
             "{i am|i'm|we are} {hungry|starving}", "{order|get me} {a pizza|some food|dinner|lunch} {|please}"],
    "door": [POLITE + "{lock|close|shut} the {door|front door|back door|garage} {|please|now}",
             "{is|did i leave} the {door|front door|garage} {locked|closed|open}", "make sure the {door|front door|garage} is {locked|closed|shut}"],
    "joke": ["{tell me|do you know|give me|say} {a joke|another joke|something funny} {|please}", "{make me|can you make me} {laugh|smile}",
             "{i am|i'm} {bored|sad} {|cheer me up}", "say something {funny|silly|to cheer me up}"],
}


def expand(pattern):
    """All sentences of a pattern, innermost braces first."""
    found = re.search(r"\{([^{}]*)\}", pattern)
    if not found:
        return {" ".join(pattern.split())}
    return set(itertools.chain.from_iterable(
        expand(pattern[:found.start()] + choice + pattern[found.end():])
        for choice in found.group(1).split("|")))


def tokenize(sentence, vocabulary):
    """As the sample does: lower case, words of letters, digits and apostrophes, cut at TOKENS."""
    words = re.findall(r"[a-z0-9']+", sentence.lower())[:TOKENS]
    ids = [vocabulary.get(word, UNK) for word in words]
    return ids + [PAD] * (TOKENS - len(ids))


def initial(vocabulary):
    def normal(*shape, scale=None):
        return rng.normal(0, scale or shape[0] ** -0.5, shape)
    return {"tokens": normal(vocabulary, WIDTH, scale=0.5), "positions": normal(TOKENS, WIDTH, scale=0.1),
            "qkv": normal(WIDTH, 3 * WIDTH), "qkv_bias": np.zeros(3 * WIDTH),
            "joined": normal(WIDTH, WIDTH), "joined_bias": np.zeros(WIDTH),
            "scale1": np.ones(WIDTH), "shift1": np.zeros(WIDTH),
            "up": normal(WIDTH, HIDDEN), "up_bias": np.zeros(HIDDEN),
            "down": normal(HIDDEN, WIDTH), "down_bias": np.zeros(WIDTH),
            "scale2": np.ones(WIDTH), "shift2": np.zeros(WIDTH)}


def layer_norm(x, scale, shift):
    centred = x - anp.mean(x, -1, keepdims=True)
    return centred / anp.sqrt(anp.mean(centred ** 2, -1, keepdims=True) + 1e-5) * scale + shift


def encode(p, ids):
    """Unit vectors [n, WIDTH] of token ids [n, TOKENS]."""
    n, mask = len(ids), (ids != PAD).astype(float)
    x = p["tokens"][ids] + p["positions"]
    heads = anp.transpose(anp.reshape(anp.dot(x, p["qkv"]) + p["qkv_bias"],
                                      (n, TOKENS, 3, HEADS, WIDTH // HEADS)), (2, 0, 3, 1, 4))
    scores = anp.matmul(heads[0], anp.swapaxes(heads[1], -1, -2)) * (WIDTH // HEADS) ** -0.5
    scores = scores + ((mask - 1) * 1e4)[:, None, None, :]
    weights = anp.exp(scores - anp.max(scores, -1, keepdims=True))
    weights = weights / anp.sum(weights, -1, keepdims=True)
    seen = anp.reshape(anp.transpose(anp.matmul(weights, heads[2]), (0, 2, 1, 3)), (n, TOKENS, WIDTH))
    x = layer_norm(x + anp.dot(seen, p["joined"]) + p["joined_bias"], p["scale1"], p["shift1"])
    h = anp.dot(x, p["up"]) + p["up_bias"]
    h = h * 0.5 * (1 + anp.tanh((2 / np.pi) ** 0.5 * (h + 0.044715 * h ** 3)))
    x = layer_norm(x + anp.dot(h, p["down"]) + p["down_bias"], p["scale2"], p["shift2"])
    mean = anp.sum(x * mask[:, :, None], 1) / anp.sum(mask, 1, keepdims=True)
    return mean / anp.sqrt(anp.sum(mean ** 2, -1, keepdims=True))


def loss(p, first, second):
    """Each row's partner among all; intents differ within a batch."""
    alike = anp.dot(encode(p, first), encode(p, second).T) / 0.07
    largest = anp.max(alike, 1, keepdims=True)
    total = anp.log(anp.sum(anp.exp(alike - largest), 1)) + largest[:, 0]
    return anp.mean(total - anp.diag(alike))


def train(p, sentences, steps):
    gradient, m, v = grad(loss), {k: 0.0 for k in p}, {k: 0.0 for k in p}

    def draw(ids):
        dropped = np.where((rng.random(ids.shape) < 0.12) & (ids != PAD), UNK, ids)
        return dropped
    for step in range(1, steps + 1):
        pairs = np.array([each[rng.choice(len(each), 2, replace=False)] for each in sentences])
        g = gradient(p, draw(pairs[:, 0]), draw(pairs[:, 1]))
        rate = 0.003 * min(step / 50, 1.0) * (1 - step / (steps + 1))
        for key in p:
            m[key] = 0.9 * m[key] + 0.1 * g[key]
            v[key] = 0.99 * v[key] + 0.01 * g[key] ** 2
            p[key] = p[key] - rate * m[key] / (1 - 0.9 ** step) / (
                np.sqrt(v[key] / (1 - 0.99 ** step)) + 1e-8)
        if step % 200 == 0:
            print(f"step {step}: loss {loss(p, pairs[:, 0], pairs[:, 1]):.3f}", flush=True)


def export(p):
    nodes, constants = [], []

    def constant(name, value, dtype):
        constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(kind, *inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name
    w = {key: constant(key, value, np.float32) for key, value in p.items()}
    axes = constant("tokens_axis", [1], np.int64)
    used = node("Not", node("Equal", "ids", constant("pad", PAD, np.int64), name="is_pad"), name="is_used")
    mask = node("Cast", used, name="mask", to=TensorProto.FLOAT)
    x = node("Add", node("Gather", w["tokens"], "ids", name="embedded"), w["positions"], name="placed")
    heads = node("Add", node("MatMul", x, w["qkv"], name="qkv_product"), w["qkv_bias"], name="qkv_sum")
    nodes.append(helper.make_node("Split", [heads], ["q", "k", "v"], name="split", axis=2, num_outputs=3))
    shape = constant("heads_shape", [0, TOKENS, HEADS, WIDTH // HEADS], np.int64)
    q, k, v = (node("Transpose", node("Reshape", part, shape, name=part + "_heads"), name=part + "_t", perm=perm)
               for part, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])))
    scores = node("Mul", node("MatMul", q, k, name="qk"),
                  constant("scale", (WIDTH // HEADS) ** -0.5, np.float32), name="scores")
    hidden = node("Mul", node("Sub", mask, constant("one", 1, np.float32), name="unused"),
                  constant("large", 1e4, np.float32), name="minus_large")
    hidden = node("Unsqueeze", hidden, constant("mask_axes", [1, 2], np.int64), name="mask_row")
    weights = node("Softmax", node("Add", scores, hidden, name="masked"), name="weights", axis=-1)
    seen = node("Transpose", node("MatMul", weights, v, name="seen"), name="seen_t", perm=[0, 2, 1, 3])
    seen = node("Reshape", seen, constant("joined_shape", [0, TOKENS, WIDTH], np.int64), name="seen_joined")
    seen = node("Add", node("MatMul", seen, w["joined"], name="out_product"), w["joined_bias"], name="out")
    x = node("LayerNormalization", node("Add", x, seen, name="residual1"), w["scale1"], w["shift1"],
             name="norm1", epsilon=1e-5)
    h = node("Gelu", node("Add", node("MatMul", x, w["up"], name="up_product"), w["up_bias"], name="up_sum"),
             name="gelu", approximate="tanh")
    h = node("Add", node("MatMul", h, w["down"], name="down_product"), w["down_bias"], name="down_sum")
    x = node("LayerNormalization", node("Add", x, h, name="residual2"), w["scale2"], w["shift2"],
             name="norm2", epsilon=1e-5)
    column = node("Unsqueeze", mask, constant("mask_column", [2], np.int64), name="mask_column_view")
    total = node("ReduceSum", node("Mul", x, column, name="used_only"), axes, name="total", keepdims=0)
    mean = node("Div", total, node("ReduceSum", mask, axes, name="count", keepdims=1), name="mean")
    node("Div", mean, node("ReduceL2", mean, axes, name="length", keepdims=1), name="vector")
    graph = helper.make_graph(
        nodes, "sentences", [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", TOKENS])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", WIDTH])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, SAMPLE / "sentences.onnx")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1500)
    arguments = parser.parse_args()
    training, held_out, words = [], [], set()
    for intent, patterns in INTENTS.items():
        every = []
        for pattern in patterns:
            some = sorted(expand(pattern))
            every += [some[i] for i in rng.permutation(len(some))[:60]]
        every = [every[i] for i in rng.permutation(len(every))]
        cut = len(every) // 5
        held_out.append(every[:cut])
        training.append(every[cut:])
        words |= set(re.findall(r"[a-z0-9']+", " ".join(every[cut:])))
    vocabulary = {word: index for index, word in enumerate(["[pad]", "[unk]"] + sorted(words))}
    (SAMPLE / "vocabulary.txt").write_text("".join(word + "\n" for word in vocabulary))
    ids = [np.array([tokenize(s, vocabulary) for s in each]) for each in training]
    p = initial(len(vocabulary))
    train(p, ids, arguments.steps)
    export(p)

    known, owner = encode(p, np.concatenate(ids)), np.repeat(np.arange(len(ids)), [len(i) for i in ids])
    right = total = 0
    for intent, each in enumerate(held_out):
        found = encode(p, np.array([tokenize(s, vocabulary) for s in each])) @ known.T
        right += int((owner[found.argmax(1)] == intent).sum())
        total += len(each)
    print(f"{len(vocabulary)} words, {sum(map(len, ids))} sentences; held out: {right} of {total} "
          "have a sentence of the same intent as their nearest")


if __name__ == "__main__":
    main()
