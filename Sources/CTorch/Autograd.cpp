// Gradients, inference mode and autocast. All modes are thread-local in libtorch.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "Guard.h"

using namespace ctorch;

namespace {

std::vector<at::Tensor> list(CTTensorRef *refs, int32_t count) {
    std::vector<at::Tensor> tensors;
    if (!refs) return tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; ++i) tensors.push_back(refs[i] ? borrow(refs[i]) : at::Tensor());
    return tensors;
}

}  // namespace

bool ct_tensor_requires_grad(CTTensorRef tensor) {
    bool value = false;
    guarded([&] { value = borrow(tensor).requires_grad(); });
    return value;
}

CTStatus ct_tensor_set_requires_grad(CTTensorRef tensor, bool value) {
    return guarded([&] { borrow(tensor).requires_grad_(value); });
}

bool ct_tensor_is_leaf(CTTensorRef tensor) {
    bool value = false;
    guarded([&] { value = borrow(tensor).is_leaf(); });
    return value;
}

CTTensorRef ct_tensor_grad(CTTensorRef tensor) {
    CTTensorRef out = nullptr;
    guarded([&] {
        const at::Tensor value = borrow(tensor);
        if (value.grad().defined()) out = release(value.grad());
    });
    return out;
}

CTStatus ct_tensor_set_grad(CTTensorRef tensor, CTTensorRef grad) {
    return guarded([&] { borrow(tensor).mutable_grad() = grad ? borrow(grad) : at::Tensor(); });
}

CTStatus ct_backward(CTTensorRef *outputs, CTTensorRef *grads, int32_t count, bool keep_graph, bool create_graph) {
    return guarded([&] { torch::autograd::backward(list(outputs, count), list(grads, count), keep_graph, create_graph); });
}

CTStatus ct_grad(CTTensorRef *outputs, CTTensorRef *grads, int32_t output_count, CTTensorRef *inputs, int32_t input_count,
                 bool keep_graph, bool create_graph, bool allow_unused, CTTensorRef *results) {
    return guarded([&] {
        auto values = torch::autograd::grad(list(outputs, output_count), list(inputs, input_count), list(grads, output_count),
                                            keep_graph, create_graph, allow_unused);
        for (int32_t i = 0; i < input_count; ++i) results[i] = values[i].defined() ? release(std::move(values[i])) : nullptr;
    });
}

bool ct_grad_mode(void) { return at::GradMode::is_enabled(); }
void ct_set_grad_mode(bool enabled) { at::GradMode::set_enabled(enabled); }

void *ct_inference_mode_enter(void) { return new (std::nothrow) c10::InferenceMode(true); }
void ct_inference_mode_leave(void *token) { delete static_cast<c10::InferenceMode *>(token); }

CTStatus ct_autocast_enter(int32_t device_type, CTAutocast state, CTAutocast *former) {
    return guarded([&] {
        auto device = static_cast<at::DeviceType>(device_type);
        former->enabled = at::autocast::is_autocast_enabled(device);
        former->dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(device));
        at::autocast::increment_nesting();
        at::autocast::set_autocast_enabled(device, state.enabled);
        at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(state.dtype));
    });
}

CTStatus ct_autocast_leave(int32_t device_type, CTAutocast former) {
    return guarded([&] {
        auto device = static_cast<at::DeviceType>(device_type);
        at::autocast::set_autocast_enabled(device, former.enabled);
        at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(former.dtype));
        if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    });
}
