// SPDX-License-Identifier: Apache-2.0
//
// The indexing family. The place of an element is data.

include "OnnxBase.td"

class Onnx_IndexingFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "indexing", rule, ins_, outs_, traits>;

// Sampling positions of an image that affine maps `theta` move, for GridSample.
def Onnx_AffineGridOp : Onnx_IndexingFamily<"AffineGrid", "AffineGrid",
        (ins Onnx_Value:$theta, Onnx_Value:$size, DefaultValuedAttr<I64Attr, "0">:$align_corners),
        (outs Onnx_Value:$grid)>;
// The slices along an axis, or the elements, where the condition holds.
def Onnx_CompressOp : Onnx_IndexingFamily<"Compress", "Compress",
        (ins Onnx_Value:$input, Onnx_Value:$condition, OptionalAttr<I64Attr>:$axis),
        (outs Onnx_Value:$output), [Onnx_SizedByData]>;
// The slices along an axis at given indices.
def Onnx_GatherOp : Onnx_IndexingFamily<"Gather", "Gather",
        (ins Onnx_Value:$data, Onnx_Value:$indices, DefaultValuedAttr<I64Attr, "0">:$axis),
        (outs Onnx_Value:$output)>;
// Along an axis, the element at the index given for each place.
def Onnx_GatherElementsOp : Onnx_IndexingFamily<"GatherElements", "GatherElements",
        (ins Onnx_Value:$data, Onnx_Value:$indices, DefaultValuedAttr<I64Attr, "0">:$axis),
        (outs Onnx_Value:$output)>;
// The slices at given tuples of leading indices.
def Onnx_GatherNDOp : Onnx_IndexingFamily<"GatherND", "GatherND",
        (ins Onnx_Value:$data, Onnx_Value:$indices, DefaultValuedAttr<I64Attr, "0">:$batch_dims),
        (outs Onnx_Value:$output)>;
// An image or volume sampled at given positions, with interpolation.
def Onnx_GridSampleOp : Onnx_IndexingFamily<"GridSample", "GridSample",
        (ins Onnx_Value:$X, Onnx_Value:$grid, DefaultValuedAttr<I64Attr, "0">:$align_corners,
         DefaultValuedStrAttr<StrAttr, "linear">:$mode, DefaultValuedStrAttr<StrAttr,
         "zeros">:$padding_mode),
        (outs Onnx_Value:$Y)>;
// The boxes of each class that overlap no better one beyond a threshold.
def Onnx_NonMaxSuppressionOp : Onnx_IndexingFamily<"NonMaxSuppression", "NonMaxSuppression",
        (ins Onnx_Value:$boxes, Onnx_Value:$scores, Onnx_OptValue:$max_output_boxes_per_class,
         Onnx_OptValue:$iou_threshold, Onnx_OptValue:$score_threshold, DefaultValuedAttr<I64Attr,
         "0">:$center_point_box),
        (outs Onnx_Value:$selected_indices), [Onnx_SizedByData]>;
// The indices of all elements that are not zero, one column each.
def Onnx_NonZeroOp : Onnx_IndexingFamily<"NonZero", "NonZero",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y), [Onnx_SizedByData]>;
// Along a new axis, the on-value at the given index and the off-value elsewhere.
def Onnx_OneHotOp : Onnx_IndexingFamily<"OneHot", "OneHot",
        (ins Onnx_Value:$indices, Onnx_Value:$depth, Onnx_Value:$values,
         DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
// A tensor resampled to other sizes by nearest, linear or cubic interpolation.
def Onnx_ResizeOp : Onnx_IndexingFamily<"Resize", "Resize",
        (ins Onnx_Value:$X, Onnx_OptValue:$roi, Onnx_OptValue:$scales, Onnx_OptValue:$sizes,
         DefaultValuedAttr<I64Attr, "0">:$antialias, OptionalAttr<DenseI64ArrayAttr>:$axes,
         DefaultValuedStrAttr<StrAttr, "half_pixel">:$coordinate_transformation_mode,
         DefaultValuedAttr<F32Attr, "-0.75f">:$cubic_coeff_a, DefaultValuedAttr<I64Attr,
         "0">:$exclude_outside, DefaultValuedAttr<F32Attr, "0.0f">:$extrapolation_value,
         DefaultValuedStrAttr<StrAttr, "stretch">:$keep_aspect_ratio_policy,
         DefaultValuedStrAttr<StrAttr, "nearest">:$mode, DefaultValuedStrAttr<StrAttr,
         "round_prefer_floor">:$nearest_mode),
        (outs Onnx_Value:$Y)>;
// A grid of interpolated averages or maxima for each region of interest.
def Onnx_RoiAlignOp : Onnx_IndexingFamily<"RoiAlign", "RoiAlign",
        (ins Onnx_Value:$X, Onnx_Value:$rois, Onnx_Value:$batch_indices,
         DefaultValuedStrAttr<StrAttr, "half_pixel">:$coordinate_transformation_mode,
         DefaultValuedStrAttr<StrAttr, "avg">:$mode, DefaultValuedAttr<I64Attr,
         "1">:$output_height, DefaultValuedAttr<I64Attr, "1">:$output_width,
         DefaultValuedAttr<I64Attr, "0">:$sampling_ratio, DefaultValuedAttr<F32Attr,
         "1.0f">:$spatial_scale),
        (outs Onnx_Value:$Y)>;
// A copy with elements along an axis replaced by, or combined with, updates.
def Onnx_ScatterElementsOp : Onnx_IndexingFamily<"ScatterElements", "SameAsFirst",
        (ins Onnx_Value:$data, Onnx_Value:$indices, Onnx_Value:$updates,
         DefaultValuedAttr<I64Attr, "0">:$axis, DefaultValuedStrAttr<StrAttr, "none">:$reduction),
        (outs Onnx_Value:$output)>;
// A copy with slices at tuples of leading indices replaced by, or combined with, updates.
def Onnx_ScatterNDOp : Onnx_IndexingFamily<"ScatterND", "SameAsFirst",
        (ins Onnx_Value:$data, Onnx_Value:$indices, Onnx_Value:$updates,
         DefaultValuedStrAttr<StrAttr, "none">:$reduction),
        (outs Onnx_Value:$output)>;
// A cache with an update written along its sequence axis at each batch's position.
def Onnx_TensorScatterOp : Onnx_IndexingFamily<"TensorScatter", "SameAsFirst",
        (ins Onnx_Value:$past_cache, Onnx_Value:$update, Onnx_OptValue:$write_indices,
         DefaultValuedAttr<I64Attr, "-2">:$axis, DefaultValuedStrAttr<StrAttr, "linear">:$mode),
        (outs Onnx_Value:$present_cache)>;
// Counts of n-grams from a pool, plain or weighted.
def Onnx_TfIdfVectorizerOp : Onnx_IndexingFamily<"TfIdfVectorizer", "TfIdfVectorizer",
        (ins Onnx_Value:$X, I64Attr:$max_gram_length, I64Attr:$max_skip_count,
         I64Attr:$min_gram_length, StrAttr:$mode, DenseI64ArrayAttr:$ngram_counts,
         DenseI64ArrayAttr:$ngram_indexes, OptionalAttr<DenseI64ArrayAttr>:$pool_int64s,
         OptionalAttr<StrArrayAttr>:$pool_strings, OptionalAttr<DenseF32ArrayAttr>:$weights),
        (outs Onnx_Value:$Y)>;
// The k greatest or least elements along an axis, and where they lie.
def Onnx_TopKOp : Onnx_IndexingFamily<"TopK", "TopK",
        (ins Onnx_Value:$X, Onnx_Value:$K, DefaultValuedAttr<I64Attr, "-1">:$axis,
         DefaultValuedAttr<I64Attr, "1">:$largest, DefaultValuedAttr<I64Attr, "1">:$sorted),
        (outs Onnx_Value:$values, Onnx_Value:$indices), [Onnx_SizedByData]>;
// The distinct elements or slices, where they lie and how often they occur.
def Onnx_UniqueOp : Onnx_IndexingFamily<"Unique", "Unique",
        (ins Onnx_Value:$X, OptionalAttr<I64Attr>:$axis, DefaultValuedAttr<I64Attr, "1">:$sorted),
        (outs Onnx_Value:$Y, Onnx_OptValue:$indices, Onnx_OptValue:$inverse_indices,
         Onnx_OptValue:$counts), [Onnx_SizedByData]>;
