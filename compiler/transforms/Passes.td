// SPDX-License-Identifier: Apache-2.0
//
// Every pass of the project, storey by storey.

#ifndef BURIN_PASSES
#define BURIN_PASSES

include "mlir/Pass/PassBase.td"

def InferShapes : Pass<"infer-shapes", "::mlir::ModuleOp"> {
  let summary = "Refine result types of onnx ops";
  let description = [{
    Walks functions in order, asks each operator's shape rule, and keeps what is
    more precise. Folding of shape arithmetic and inference feed each other, so
    each op is folded as soon as its operands are constant.
  }];
}

def RecognizeNormalizations : Pass<"recognize-normalizations", "::mlir::ModuleOp"> {
  let summary = "Layer, RMS and group normalisations and Softmax from the arithmetic they are";
  let description = [{
    Statistics over the last dimensions with an epsilon, however the inverse root is written,
    become one op; a product and a sum behind it become its scale and bias. Of f16 and bf16,
    what is computed in f32 between casts. InstanceNormalization between reshapes that make groups
    channels is GroupNormalization.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def RecognizeActivations : Pass<"recognize-activations", "::mlir::ModuleOp"> {
  let summary = "Gelu, Swish, HardSigmoid and HardSwish from the arithmetic they are";
  let description = [{
    Factors may come in any order and grouping. Constants must be those of the function, as
    the element type rounds them.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def RecognizeRotary : Pass<"recognize-rotary", "::mlir::ModuleOp"> {
  let summary = "RotaryEmbedding from parts that are sliced, turned and joined";
  let description = [{
    Halves, or even and odd elements. Of heads [batch, heads, sequence, size], with tables of the head's size whose halves are
    equal, or of half of it. What computes such a table computes half of it from then on.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def RecognizeAttention : Pass<"recognize-attention", "::mlir::ModuleOp"> {
  let summary = "Attention from two products around a Softmax";
  let description = [{
    Factors of the scores, of queries and of keys become its scale. Masks that are added, also those of
    windows behind a Reshape, or chosen by Where become its mask. Keys and values that are repeated
    for groups of heads are taken as they were. Of f32; another user of what is in between keeps it.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def PushTransposes : Pass<"push-transposes", "::mlir::ModuleOp"> {
  let summary = "Transposes meet those that undo them, or are reshapes";
  let description = [{
    One that takes channels last moves down through elementwise ops, Concat and reductions whose
    other operands are transposed alike or constant. One that moves only dims of size 1 becomes a Reshape.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def PushStrides : Pass<"push-strides", "::mlir::ModuleOp"> {
  let summary = "What is read at every s-th position alone is computed there alone";
  let description = [{
    By 1x1 convolutions of stride s, or by a Slice of such steps: they become strides of the convolutions before, above
    elementwise ops. What else reads an operand of these keeps it whole, beside a Slice of it. Pads that follow from sizes stay.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

//===- Verification ---------------------------------------------------------===//

def PromoteFloats : Pass<"promote-floats", "::mlir::ModuleOp"> {
  let summary = "A model of f32, f16 and bf16 becomes one of f64";
  let description = [{
    What `burin verify` compares with: values, constants and the element types that attributes name. What
    ONNX does not define in f64 is computed in f32, between casts. Weights outside the IR need the store that the compiler has; burin-opt has none.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def KeepNodeResults : Pass<"keep-node-results", "::mlir::ModuleOp"> {
  let summary = "Each node's results, of fixed sizes, become outputs under the node's name";
  let description = [{
    Nothing that reads or hides what a node computes can then be fused, recognised or dropped: the
    model is evaluated node by node.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def KeepKernelResults : Pass<"keep-kernel-results", "::mlir::ModuleOp"> {
  let summary = "Each launch's results become outputs";
  let description = [{
    Between outline-kernels and plan-memory: kernels stay as they are, the plan alone keeps what they compute. An output is
    named by lines: the launch's index, its kernel, its nodes.
  }];
  let dependentDialects = ["::burin::plan::PlanDialect"];
}

//===- Maths ----------------------------------------------------------------===//

def FoldScales : Pass<"fold-scales", "::mlir::ModuleOp"> {
  let summary = "Batch normalisations, factors and terms of channels into weights and biases";
  let description = [{
    What follows a Conv, ConvTranspose, Gemm or MatMul with constant weights and multiplies each
    channel by a constant, or adds one, becomes part of them: ops on constants, which `constants`
    computes. A weight that other ops read, too, is left alone, and types that round (f16, bf16).
  }];
  // Folding computes small constants with scalar ops.
  let dependentDialects = ["::burin::onnx::OnnxDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def MergeMatMuls : Pass<"merge-matmuls", "::mlir::ModuleOp"> {
  let summary = "Products of one tensor with several weights are one: queries, keys, values";
  let description = [{
    MatMuls, or Gemms, with constant weights that share their left operand become one with the weights
    side by side, biases too, and a Split. Where anything but a view, a transpose or RotaryEmbedding
    reads a result they stay: that would have been fused into its product.
  }];
  let dependentDialects = ["::burin::onnx::OnnxDialect"];
}

def LowerOnnx : Pass<"lower-onnx", "::mlir::ModuleOp"> {
  let summary = "onnx -> linalg, tensor, kern: the maths storey";
  let description = [{
    Rebuilds every function on storage types with the rules of
    compiler/lower/Lowering.h. Reports all nodes that cannot be lowered, each with
    its reason and a way out.
  }];
  let options = [
    Option<"winograd", "winograd", "bool", "true", "Transform convolutions that gain by it">,
    Option<"bf16Weights", "bf16-weights", "bool", "false",
           "Round the constant weights of products to bf16, but those that are transformed">
  ];
}

def ResolveSizes : Pass<"resolve-sizes", "::mlir::ModuleOp"> {
  let summary = "Every size of @main as a function of the model's dims";
  let description = [{
    A tensor.dim of what an op computes becomes one of what it computes it from, and one of an
    argument of @main becomes the plan.dim that the argument's type names.
  }];
  let dependentDialects = ["::burin::plan::PlanDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def BindStates : Pass<"bind-states", "::mlir::ModuleOp"> {
  let summary = "What is kept from run to run is appended to in its own memory";
  let description = [{
    Of each argument that `--state` binds to a result (`plan.state`). Where the result is the argument
    with rows behind it, the argument gets the type of its capacity, the rows are inserted into it, and
    readers of both take slices of it. A next value of the argument's own type stays as it is; plan-memory
    puts it in place.
  }];
  let dependentDialects = ["::burin::plan::PlanDialect", "::mlir::tensor::TensorDialect"];
}

def FindBatch : Pass<"find-batch", "::mlir::ModuleOp"> {
  let summary = "Whether requests can run as one: no row of a batch looks at another";
  let description = [{
    Takes the maths of a model for two sizes of `dim`, as two functions. Where both compute the same
    but for the sizes of tensors, and every op computes each row from that row alone, the module gets
    `plan.batch`: which dim of each input and output the rows lie in. Else a remark says what stands
    against it.
  }];
  let options = [Option<"dim", "dim", "std::string", "", "the name of the size that a batch sums up">];
  let dependentDialects = ["::burin::plan::PlanDialect"];
}

//===- Grouping -------------------------------------------------------------===//

def FoldTransposes : Pass<"fold-transposes", "::mlir::ModuleOp"> {
  let summary = "Contractions read and write in the order of dims that others ask for";
  let description = [{
    A copy that reorders dims, or cuts out a part, becomes part of the maps of the kern.contract
    that reads it, and one that reorders dims of the only one that it reads, as long as what
    the micro-kernel walks stays side by side in memory. Copies of copies are one, also with
    reshapes between them.
  }];
  let dependentDialects = ["::burin::kern::KernDialect"];
}

def FoldUnitDims : Pass<"fold-unit-dims", "::mlir::ModuleOp"> {
  let summary = "Drop the dims of size 1 from generics and from what they read and write";
  let description = [{
    Upstream's folding; a loop of one position that a window adds to another loop stays where the
    window does not read the whole operand, since its size would then be taken for the window's.
  }];
}

def AgreeSizes : Pass<"agree-sizes", "::mlir::ModuleOp"> {
  let summary = "Note which sizes must be equal for the model to be run";
  let description = [{
    Two operands that one loop walks have one size. Where those are different expressions of the
    model's dims, `plan.agreements` of the main program has both, and the main program ends with
    BURIN_SHAPE_MISMATCH where they differ.
  }];
}

def FuseElementwise : Pass<"fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Move elementwise producers into the generics that read them";
  let description = [{
    Upstream's fusion, limited to a producer that has one use and whose elements the
    consumer reads once each: nothing is computed twice. Contractions stay as they are.
  }];
}

def FoldEpilogues : Pass<"fold-epilogues", "::mlir::ModuleOp"> {
  let summary = "Move elementwise consumers into the contractions they read";
  let description = [{
    The chain of elementwise ops behind a kern.contract (bias, activation, residual)
    becomes its epilogue region, as long as each link is the only use of the one before.
  }];
}

def FormDispatches : Pass<"form-dispatches", "::mlir::ModuleOp"> {
  let summary = "Partition @main into plan.dispatch regions";
  let description = [{
    Constants with data become plan.constant. Every computing op starts a group alone, then
    joins the producer of its destination, and a producer joins its only consumer where both
    walk the same rows. Each group is wrapped at its last op; cheap ops (constants, fills,
    index arithmetic) are cloned in, views stay outside.
  }];
  let dependentDialects = ["::burin::plan::PlanDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def OutlineKernels : Pass<"outline-kernels", "::mlir::ModuleOp"> {
  let summary = "One function per distinct dispatch, one plan.launch per dispatch";
  let description = [{
    Equal bodies become one kernel function, named after the first node that
    needs it. A kernel takes its inputs, its destinations and its dims, and
    returns its destinations' new values.
  }];
  let dependentDialects = ["::burin::plan::PlanDialect", "::mlir::func::FuncDialect"];
}

def JoinInPlace : Pass<"join-in-place", "::mlir::ModuleOp"> {
  let summary = "Parts of tensors are written and read where they lie";
  let description = [{
    In front of plan-memory. A launch that does nothing but put tensors side by side becomes a plan.join: what makes a
    part writes it into the whole. One that cuts out a part becomes a plan.part, which its readers read within the
    whole. Kernels of such launches are copies whose arguments have `plan.strides`. A part that cannot lie there (an input,
    a weight, a result of the model, a part of two wholes) is copied there by a launch of its own. A launch that fills
    a tensor and puts another into it, of 64 KiB or more, is such a join: of that and of what lies around it on each side, which
    is filled there.
    Of tensors with known sizes, whose parts have at least 16 elements side by side, for kernels of
    contractions and of linalg ops.
  }];
  let dependentDialects = ["::burin::plan::PlanDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def Rematerialize : Pass<"rematerialize", "::mlir::ModuleOp"> {
  let summary = "Cheap launches run again in front of late readers until the plan fits";
  let description = [{
    Between outline-kernels and plan-memory, for main programs whose tensors of the arena take more than
    `max-bytes`: what an elementwise kernel, a broadcast, a cast or a copy between layouts computed is not kept over
    the launch at which most is alive, but computed again behind it, by the same kernel. Chosen one at a time, by bytes
    saved there over estimated time, while a choice lowers the largest live set and the plan does not fit. Such a launch has
    `plan.again`: the bytes that were saved.
  }];
  let options = [
    Option<"maxBytes", "max-bytes", "uint64_t", "0", "Bytes of the arena's tensors, at most">
  ];
  let dependentDialects = ["::burin::plan::PlanDialect"];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every tensor of @main a place in the arena, weights, inputs or outputs";
  let description = [{
    Live ranges over the launch order; offsets by first fit, in the best of several orders. A result takes the
    place of an input that the launch is the last to read, where its kernel allows that.
    Sets `places` of each launch, `offset` of each plan.constant, and on the module
    `plan.arena_bytes`, `plan.live_bytes` (the largest live set, a lower bound) of each, `plan.weights_bytes`
    and `plan.shard_offsets`: where weights may be parted into files of at most `shard-bytes`, if no constant is larger.
  }];
  let options = [
    Option<"shardBytes", "shard-bytes", "uint64_t", "uint64_t(1) << 31", "Weights of one file">
  ];
  let dependentDialects = ["::burin::plan::PlanDialect"];
}

def GroupLaunches : Pass<"group-launches", "::mlir::ModuleOp"> {
  let summary = "Launches that do not depend on one another become groups, which workers run without waiting in between";
  let description = [{
    In front of plan-memory. A launch that takes less than `launch-us` about, or runs as one task, is joined by
    later ones like it whose operands are there already, which move up; they get `plan.group`, a number that neighbours
    have in common. Kernels that check their data stay alone, and so does what would let the largest live set or the
    arena grow. A main program below `run-us`, which runs on one thread, has no groups.
  }];
  let options = [
    Option<"runUs", "run-us", "unsigned", "1000", "Microseconds of a run that are worth a second worker">,
    Option<"aloneUs", "alone-us", "unsigned", "10", "Microseconds of a group that are">,
    Option<"launchUs", "launch-us", "unsigned", "1000",
           "Microseconds from which on a launch has tasks enough for all workers">
  ];
  let dependentDialects = ["::burin::plan::PlanDialect"];
}

def BoundThreads : Pass<"bound-threads", "::mlir::ModuleOp"> {
  let summary = "Runs and launches too short to wake other workers for stay on the caller's thread";
  let description = [{
    Behind plan-memory, by the work of kernels and the time that a core takes for it, about. A launch below
    `launch-us`, or all of a group below that, gets `plan.alone`; others of a group get `plan.ns`, the time of all their tasks. A main program that takes less than `run-us` gets `plan.alone_up_to`: the largest
    sizes, one of each range of `plan.dims`, up to which a run as a whole stays on one thread.
  }];
  let options = [
    Option<"runUs", "run-us", "unsigned", "1000", "Microseconds of a run that are worth a second worker">,
    Option<"launchUs", "launch-us", "unsigned", "10", "Microseconds of a launch that are">
  ];
  let dependentDialects = ["::burin::plan::PlanDialect"];
}

//===- CPU ------------------------------------------------------------------===//

def ScheduleKernels : Pass<"schedule-kernels", "::mlir::ModuleOp"> {
  let summary = "Tile each kernel into tasks and bufferize it";
  let description = [{
    Sets `plan.asked` on each kernel: how many contractions and copies its dispatch
    holds, for verify-kernels.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::bufferization::BufferizationDialect",
                           "::mlir::affine::AffineDialect"];
}

def VerifyKernels : Pass<"verify-kernels", "::mlir::ModuleOp"> {
  let summary = "Refuse kernels that allocate, copy or compute more than was asked for";
  let description = [{
    After schedule-kernels. A kernel allocates nothing but scratch of static size, has
    no copy more than `plan.asked` says, as many contractions and reductions, and
    no more steps in them. Anything else is a bug of the schedule, and names the node.
  }];
}

def ExpandContract : Pass<"expand-contract"> {
  let summary = "kern.contract on buffers to a task grid around a register-tiled micro-kernel";
  let description = [{
    Leaves upstream ops only: one scf.forall over tasks, scf.for, vector loads,
    broadcasts, FMAs and (masked) stores, static memref.alloc as per-worker scratch. The level
    sizes the register tile; it changes no result.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::LLVM::LLVMDialect"];
  let options = [Option<"vectorLevel", "vector-level", "std::string", "\"v3\"",
                        "v3 (16 registers of 8 floats), v4 (32 of 16) or neon (32 of 4)">];
}

def LowerKern : Pass<"lower-kern"> {
  let summary = "kern.scatter, kern.sort and kern.scan on buffers to loops";
  let description = [{
    Independent rows become one scf.forall, everything else scf.for and scf.while. A merge
    sort allocates its row's scratch, of static size.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect", "::burin::plan::PlanDialect"];
}

def KernelAbi : Pass<"kernel-abi", "::mlir::ModuleOp"> {
  let summary = "Turn kernels into functions of (kargs, begin, end, scratch)";
  let description = [{
    The outermost scf.forall becomes a loop over the task range, static allocations
    become slices of the worker's scratch. Sets `plan.tasks` and
    `plan.scratch_bytes` on each kernel.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def ExpandMath : Pass<"expand-math"> {
  let summary = "math ops -> polynomials; float conversions without library calls";
  let description = [{
    Rewrites elementary functions on scalars and vectors of any shape into arith
    ops and fused multiply-adds (no libm), `arith.remf` into a loop, and the
    conversions of bf16, f8, f4, and f64 to f16, into integer arithmetic (no
    compiler-rt). There are no branches, so that scalar code still vectorises,
    and no fast-math. Ops with an instruction of their own stay.
    docs/rationale/maths.md states ranges and errors. Runs before scf is lowered.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeLinalg : Pass<"vectorize-linalg"> {
  let summary = "linalg on buffers -> loops over vectors";
  let description = [{
    Vectorises each linalg op along one loop: a parallel one that walks the outputs
    without gaps, or a reduction that walks the inputs without gaps. Vectors have 16
    elements whatever their type; a reduced row of at least 256 elements has 64
    lanes, combined as a fixed tree. Neither depends on the CPU, so that results have the
    same bits on all. Ends are masked. Ops that do not fit stay as they are.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif
