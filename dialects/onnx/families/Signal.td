// SPDX-License-Identifier: Apache-2.0
//
// The signal family. Transforms of signals.

include "OnnxBase.td"

class Onnx_SignalFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "signal", rule, ins_, outs_, traits>;

// The discrete Fourier transform along an axis, or its inverse.
def Onnx_DFTOp : Onnx_SignalFamily<"DFT", "DFT",
        (ins Onnx_Value:$input, Onnx_OptValue:$dft_length, Onnx_OptValue:$axis,
         DefaultValuedAttr<I64Attr, "0">:$inverse, DefaultValuedAttr<I64Attr, "0">:$onesided),
        (outs Onnx_Value:$output)>;
// Weights that take a spectrum's bins to mel bands.
def Onnx_MelWeightMatrixOp : Onnx_SignalFamily<"MelWeightMatrix", "MelWeightMatrix",
        (ins Onnx_Value:$num_mel_bins, Onnx_Value:$dft_length, Onnx_Value:$sample_rate,
         Onnx_Value:$lower_edge_hertz, Onnx_Value:$upper_edge_hertz, DefaultValuedAttr<I64Attr,
         "1">:$output_datatype),
        (outs Onnx_Value:$output)>;
// Fourier transforms of overlapping frames of a signal.
def Onnx_STFTOp : Onnx_SignalFamily<"STFT", "STFT",
        (ins Onnx_Value:$signal, Onnx_Value:$frame_step, Onnx_OptValue:$window,
         Onnx_OptValue:$frame_length, DefaultValuedAttr<I64Attr, "1">:$onesided),
        (outs Onnx_Value:$output)>;
