// Multi-scale deformable attention (Deformable DETR, arXiv 2010.04159, equation 3) as libtorch operators.
//
// Each of the N queries reads, per head, P points on each of the L levels, bilinearly and with zeros outside the map, and
// sums them by its weights:
//
//     chatrex::multi_scale_deformable_attention(value, spatial_shapes, level_start_index, sampling_locations,
//                                               attention_weights)
//
//     value                [B, S, M, D]        tokens of all levels one after the other, M heads of width D
//     spatial_shapes       [L, 2] int64        (height, width); best kept on the CPU, elsewhere each call waits for it
//     level_start_index    [L] int64           first token of each level
//     sampling_locations   [B, N, M, L, P, 2]  (x, y), 0...1 across the map; pixel = x * width - 0.5
//     attention_weights    [B, N, M, L, P]     after softmax
//     -> [B, N, M * D] in the dtype of value
//
// CPU tensors meet the kernel of `DeformableAttentionKernel.cpp`, all others the form in libtorch operators that
// `..._reference` names. Both are differentiable in value, locations and weights. Locations and weights may be float32
// beside a bfloat16 value, and should be: bfloat16 places a point no finer than 1/256 of the map.
#include "DeformableAttention.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <limits>

namespace chatrex::deformable {

Extents checkedExtents(const at::Tensor &value, const at::Tensor &spatialShapes, const at::Tensor &levelStartIndex,
                       const at::Tensor &locations, const at::Tensor &weights) {
    constexpr auto name = "multi_scale_deformable_attention: ";
    TORCH_CHECK(value.dim() == 4, name, "value must be [B, S, M, D], got ", value.sizes());
    TORCH_CHECK(locations.dim() == 6 && locations.size(5) == 2, name,
                "sampling_locations must be [B, N, M, L, P, 2], got ", locations.sizes());
    TORCH_CHECK(weights.dim() == 5 && weights.sizes() == locations.sizes().slice(0, 5), name,
                "attention_weights must be [B, N, M, L, P] like sampling_locations ", locations.sizes(), ", got ",
                weights.sizes());
    TORCH_CHECK(at::isFloatingType(value.scalar_type()) && at::isFloatingType(locations.scalar_type()) &&
                    at::isFloatingType(weights.scalar_type()),
                name, "value, sampling_locations and attention_weights must be floating point, got ",
                value.scalar_type(), ", ", locations.scalar_type(), ", ", weights.scalar_type());
    TORCH_CHECK(locations.device() == value.device() && weights.device() == value.device(), name,
                "value, sampling_locations and attention_weights must be on one device, got ", value.device(), ", ",
                locations.device(), ", ", weights.device());
    TORCH_CHECK(locations.size(0) == value.size(0) && locations.size(2) == value.size(2), name,
                "batch and heads of sampling_locations ", locations.sizes(), " differ from those of value ",
                value.sizes());
    const int64_t levelCount = locations.size(3);
    TORCH_CHECK(spatialShapes.dim() == 2 && spatialShapes.size(0) == levelCount && spatialShapes.size(1) == 2 &&
                    spatialShapes.scalar_type() == at::kLong,
                name, "spatial_shapes must be int64 [L, 2] with L = ", levelCount, ", got ",
                spatialShapes.scalar_type(), " ", spatialShapes.sizes());
    TORCH_CHECK(levelStartIndex.dim() == 1 && levelStartIndex.size(0) == levelCount &&
                    levelStartIndex.scalar_type() == at::kLong,
                name, "level_start_index must be int64 [L] with L = ", levelCount, ", got ",
                levelStartIndex.scalar_type(), " ", levelStartIndex.sizes());

    Extents extents{.batch = value.size(0), .tokens = value.size(1), .heads = value.size(2), .width = value.size(3),
                    .queries = locations.size(1), .points = locations.size(4), .levels = {}};
    TORCH_CHECK(extents.tokens <= std::numeric_limits<int32_t>::max(), name, extents.tokens, " tokens are too many");
    const at::Tensor shapes = spatialShapes.cpu().contiguous(), starts = levelStartIndex.cpu().contiguous();
    for (int64_t l = 0; l < levelCount; ++l) {
        const int64_t height = shapes.const_data_ptr<int64_t>()[2 * l], width = shapes.const_data_ptr<int64_t>()[2 * l + 1];
        const int64_t start = starts.const_data_ptr<int64_t>()[l];
        const bool fits = height > 0 && width > 0 && start >= 0 && height <= extents.tokens &&
                          width <= extents.tokens && start <= extents.tokens - height * width;
        TORCH_CHECK(fits, name, "level ", l, " of ", height, " x ", width, " tokens from ", start,
                    " does not lie within the ", extents.tokens, " tokens of value");
        extents.levels.push_back({static_cast<int32_t>(height), static_cast<int32_t>(width), static_cast<int32_t>(start)});
    }
    return extents;
}

namespace {

/// The same result from libtorch operators: `grid_sampler_2d` level by level. Runs on every device.
at::Tensor reference(const at::Tensor &value, const at::Tensor &spatialShapes, const at::Tensor &levelStartIndex,
                     const at::Tensor &locations, const at::Tensor &weights) {
    const Extents e = checkedExtents(value, spatialShapes, levelStartIndex, locations, weights);
    constexpr int64_t bilinear = 0, zerosOutside = 0;
    const auto type = value.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor tokens = value.to(type).permute({0, 2, 3, 1});                      // [B, M, D, S]
    const at::Tensor grids = locations.to(type).mul(2).sub(1).permute({3, 0, 2, 1, 4, 5});  // [L, B, M, N, P, 2]
    const at::Tensor shares = weights.to(type).permute({3, 0, 2, 1, 4});                 // [L, B, M, N, P]
    at::Tensor sum = at::zeros({e.batch * e.heads, e.width, e.queries}, tokens.options());
    for (size_t l = 0; l < e.levels.size(); ++l) {
        const auto [height, width, start] = e.levels[l];
        const at::Tensor map = tokens.narrow(3, start, int64_t(height) * width)
                                   .reshape({e.batch * e.heads, e.width, height, width});
        const at::Tensor grid = grids.select(0, int64_t(l)).reshape({e.batch * e.heads, e.queries, e.points, 2});
        const at::Tensor share = shares.select(0, int64_t(l)).reshape({e.batch * e.heads, 1, e.queries, e.points});
        const at::Tensor samples = at::grid_sampler_2d(map, grid, bilinear, zerosOutside, false);  // [BM, D, N, P]
        sum = sum + (samples * share).sum(-1);
    }
    return sum.reshape({e.batch, e.heads * e.width, e.queries}).transpose(1, 2).contiguous().to(value.scalar_type());
}

at::Tensor forward(const at::Tensor &value, const at::Tensor &spatialShapes, const at::Tensor &levelStartIndex,
                   const at::Tensor &locations, const at::Tensor &weights) {
    const Extents extents = checkedExtents(value, spatialShapes, levelStartIndex, locations, weights);
    return forwardCPU(extents, value, locations, weights);
}

/// Hangs the CPU kernel into libtorch's autograd.
struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
    static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &value,
                              const at::Tensor &spatialShapes, const at::Tensor &levelStartIndex,
                              const at::Tensor &locations, const at::Tensor &weights) {
        const at::AutoDispatchBelowADInplaceOrView belowAutograd;
        context->save_for_backward({value, spatialShapes, levelStartIndex, locations, weights});
        return deformable::forward(value, spatialShapes, levelStartIndex, locations, weights);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   const torch::autograd::variable_list &outputGradients) {
        const auto saved = context->get_saved_variables();
        TORCH_CHECK(!(at::GradMode::is_enabled() && outputGradients[0].requires_grad()),
                    "multi_scale_deformable_attention: the CPU kernel has no second derivative; use "
                    "multi_scale_deformable_attention_reference for it");
        const at::AutoDispatchBelowADInplaceOrView belowAutograd;
        const Extents extents = checkedExtents(saved[0], saved[1], saved[2], saved[3], saved[4]);
        const auto [value, locations, weights] =
            backwardCPU(extents, outputGradients[0], saved[0], saved[3], saved[4]);
        return {value, at::Tensor(), at::Tensor(), locations, weights};
    }
};

at::Tensor forwardWithGradients(const at::Tensor &value, const at::Tensor &spatialShapes,
                                const at::Tensor &levelStartIndex, const at::Tensor &locations,
                                const at::Tensor &weights) {
    return AttentionFunction::apply(value, spatialShapes, levelStartIndex, locations, weights);
}

}  // namespace
}  // namespace chatrex::deformable

TORCH_LIBRARY_FRAGMENT(chatrex, library) {
    const auto arguments = std::string("(Tensor value, Tensor spatial_shapes, Tensor level_start_index, "
                                       "Tensor sampling_locations, Tensor attention_weights) -> Tensor");
    library.def(("multi_scale_deformable_attention" + arguments).c_str());
    library.def(("multi_scale_deformable_attention_reference" + arguments).c_str());
    library.impl("multi_scale_deformable_attention", c10::DispatchKey::CompositeImplicitAutograd,
                 TORCH_FN(chatrex::deformable::reference));
    library.impl("multi_scale_deformable_attention_reference", c10::DispatchKey::CompositeImplicitAutograd,
                 TORCH_FN(chatrex::deformable::reference));
}

TORCH_LIBRARY_IMPL(chatrex, CPU, library) {
    library.impl("multi_scale_deformable_attention", TORCH_FN(chatrex::deformable::forward));
}

TORCH_LIBRARY_IMPL(chatrex, AutogradCPU, library) {
    library.impl("multi_scale_deformable_attention", TORCH_FN(chatrex::deformable::forwardWithGradients));
}
