# SPDX-License-Identifier: Apache-2.0
"""burin.h from Python: an artifact with a context that lives from run to run."""
import ctypes
import pathlib

import numpy as np

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_,
          10: np.float16, 11: np.float64}


class TensorInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_uint32),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("dim_names", ctypes.POINTER(ctypes.c_char_p)), ("max_bytes", ctypes.c_uint64)]


class StateInfo(ctypes.Structure):
    _fields_ = [("tensor", TensorInfo), ("output", ctypes.c_char_p), ("axis", ctypes.c_int32),
                ("dim", ctypes.c_uint32)]


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("bytes", ctypes.c_uint64),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_uint32),
                ("dtype", ctypes.c_uint32)]


class Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in
                ("bytes", "alignment", "activations", "scratch", "weights", "states")]


class Options(ctypes.Structure):
    _fields_ = [("arena", ctypes.c_void_p), ("arena_bytes", ctypes.c_uint64),
                ("workers", ctypes.c_uint32), ("flags", ctypes.c_uint32)] + \
        [(name, ctypes.c_void_p) for name in
         ("pool", "parallel_for", "executor", "log", "profile", "weights_path", "weights", "user")]


SLOTS = ("describe", "input", "output", "dim", "memory", "create", "run", "run_batch",
         "output_shape", "message", "destroy", "pool_create", "pool_workers", "pool_destroy",
         "certificate", "pool_parts", "weights_open", "weights_close", "state", "state_data",
         "state_set_length", "reset")


class Model(ctypes.Structure):
    _fields_ = [("abi_version", ctypes.c_uint32), ("struct_size", ctypes.c_uint32),
                ("program", ctypes.c_void_p), ("name", ctypes.c_char_p)] + \
        [(slot, ctypes.CFUNCTYPE(ctypes.c_char_p if slot == "message" else ctypes.c_int))
         for slot in SLOTS]


class Failed(Exception):
    """A status that is not BURIN_OK, and the context's message."""

    def __init__(self, status, message):
        super().__init__(f"status {status}: {message}")
        self.status = status


class Artifact:
    """A loaded model.so; each `Context` of it has memory of its own."""

    def __init__(self, path):
        path = pathlib.Path(path)
        getter = getattr(ctypes.CDLL(str(path.resolve())), "burin_model_" + path.stem)
        getter.restype = ctypes.POINTER(Model)
        self.address = getter()
        self.table = self.address.contents
        self.folder = str(path.resolve().parent).encode()
        inputs, outputs = ctypes.c_uint32(), ctypes.c_uint32()
        self.table.describe(self.address, ctypes.byref(inputs), ctypes.byref(outputs))
        self.inputs = [self.ask("input", i, TensorInfo) for i in range(inputs.value)]
        self.outputs = [self.ask("output", i, TensorInfo) for i in range(outputs.value)]
        self.states = []
        while state := self.ask("state", len(self.states), StateInfo):
            self.states.append(state)

    def ask(self, slot, index, kind):
        """What a question of the model answers, None behind the last."""
        info = kind()
        status = getattr(self.table, slot)(self.address, ctypes.c_uint32(index), ctypes.byref(info))
        return None if status else info

    def memory(self):
        """What a context with one worker takes."""
        need = Memory()
        self.table.memory(self.address, ctypes.c_uint32(1), ctypes.byref(need))
        return need


class Context:
    """One worker; runs requests and keeps states."""

    def __init__(self, artifact):
        self.artifact, self.table = artifact, artifact.table
        need = artifact.memory()
        self.arena = np.empty(need.bytes + need.alignment, np.uint8)
        start = -self.arena.ctypes.data % need.alignment
        options = Options(arena=self.arena.ctypes.data + start, arena_bytes=need.bytes,
                          weights_path=ctypes.cast(ctypes.c_char_p(artifact.folder),
                                                   ctypes.c_void_p))
        self.pointer = ctypes.c_void_p()
        status = self.table.create(artifact.address, ctypes.byref(options),
                                   ctypes.byref(self.pointer))
        if status:
            raise Failed(status, "create")

    def check(self, status):
        if status:
            raise Failed(status, self.table.message(self.pointer).decode())

    def run(self, inputs):
        """{output name: array} of one request; `inputs` is {name: array}."""
        kept, taken = [], (Tensor * len(self.artifact.inputs))()
        for i, info in enumerate(self.artifact.inputs):
            data = np.ascontiguousarray(inputs[info.name.decode()])
            shape = (ctypes.c_int64 * data.ndim)(*data.shape)
            kept += [data, shape]
            taken[i] = Tensor(data.ctypes.data, data.nbytes, shape, data.ndim, info.dtype)
        made = (Tensor * len(self.artifact.outputs))()
        memories = []
        for i, info in enumerate(self.artifact.outputs):
            memories.append(np.zeros(info.max_bytes, np.uint8))
            made[i] = Tensor(memories[-1].ctypes.data, info.max_bytes, None, 0, 0)
        self.check(self.table.run(self.pointer, taken, ctypes.c_uint32(len(taken)), made,
                                  ctypes.c_uint32(len(made))))
        results = {}
        for i, info in enumerate(self.artifact.outputs):
            shape = (ctypes.c_int64 * max(info.rank, 1))()
            self.table.output_shape(self.pointer, ctypes.c_uint32(i), shape)
            sizes = list(shape)[:info.rank]
            count = int(np.prod(sizes, dtype=np.int64))
            results[info.name.decode()] = \
                memories[i].view(DTYPES[info.dtype])[:count].reshape(sizes)
        return results

    def state(self, index):
        """A view of a state's memory, and its length."""
        data, length = ctypes.c_void_p(), ctypes.c_int64()
        self.check(self.table.state_data(self.pointer, ctypes.c_uint32(index), ctypes.byref(data),
                                         ctypes.byref(length)))
        info = self.artifact.states[index].tensor
        memory = (ctypes.c_uint8 * info.max_bytes).from_address(data.value)
        array = np.frombuffer(memory, DTYPES[info.dtype])
        return array.reshape([info.shape[i] for i in range(info.rank)]), length.value

    def set_length(self, length, index=0):
        self.check(self.table.state_set_length(self.pointer, ctypes.c_uint32(index),
                                               ctypes.c_int64(length)))

    def reset(self):
        self.check(self.table.reset(self.pointer))

    def destroy(self):
        self.table.destroy(self.pointer)
