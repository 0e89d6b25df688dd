// Tensors: creation over memory, copies, and what can be asked of them.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cstring>
#include <memory>

#include "Guard.h"

using namespace ctorch;

CTStatus ct_tensor_from_memory(void *data, const int64_t *sizes, const int64_t *strides, int32_t rank, int32_t dtype,
                               CTDeallocator deallocate, void *context, CTTensorRef *out) {
    // Owned here until libtorch's storage takes it over, so that a failure also returns the memory.
    auto owner = std::make_shared<std::unique_ptr<void, CTDeallocator>>(context, deallocate);
    return guarded([&] {
        auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
        at::IntArrayRef shape(sizes, rank);
        auto returned = [owner](void *) { owner->reset(); };
        at::Tensor tensor = strides ? at::from_blob(data, shape, at::IntArrayRef(strides, rank), returned, options)
                                    : at::from_blob(data, shape, returned, options);
        *out = release(std::move(tensor));
    });
}

CTStatus ct_tensor_from_copy(const void *data, size_t byte_count, const int64_t *sizes, int32_t rank, int32_t dtype,
                             CTTensorRef *out) {
    return guarded([&] {
        at::Tensor tensor = at::empty(at::IntArrayRef(sizes, rank), static_cast<at::ScalarType>(dtype));
        TORCH_CHECK_VALUE(tensor.nbytes() == byte_count, "the shape needs ", tensor.nbytes(), " bytes, given ", byte_count);
        if (byte_count) std::memcpy(tensor.mutable_data_ptr(), data, byte_count);
        *out = release(std::move(tensor));
    });
}

CTStatus ct_tensor_copy_out(CTTensorRef tensor, void *destination, size_t byte_count) {
    return guarded([&] {
        c10::NoGradGuard noGrad;
        at::Tensor values = borrow(tensor).detach().to(at::kCPU).contiguous();
        TORCH_CHECK_VALUE(values.nbytes() == byte_count, "the tensor has ", values.nbytes(), " bytes, asked for ", byte_count);
        if (byte_count) std::memcpy(destination, values.const_data_ptr(), byte_count);
    });
}

CTTensorRef ct_tensor_retain(CTTensorRef tensor) { return release(borrow(tensor)); }

void ct_tensor_release(CTTensorRef tensor) {
    if (tensor) c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(implementation(tensor));
}

int32_t ct_tensor_rank(CTTensorRef tensor) { return static_cast<int32_t>(implementation(tensor)->dim()); }
const int64_t *ct_tensor_sizes(CTTensorRef tensor) { return implementation(tensor)->sizes().data(); }
const int64_t *ct_tensor_strides(CTTensorRef tensor) { return implementation(tensor)->strides().data(); }
int64_t ct_tensor_element_count(CTTensorRef tensor) { return implementation(tensor)->numel(); }
int32_t ct_tensor_dtype(CTTensorRef tensor) {
    return static_cast<int32_t>(c10::typeMetaToScalarType(implementation(tensor)->dtype()));
}

void ct_tensor_device(CTTensorRef tensor, int32_t *type, int32_t *index) {
    auto device = implementation(tensor)->device();
    *type = static_cast<int32_t>(device.type());
    *index = device.index();
}

bool ct_tensor_is_contiguous(CTTensorRef tensor) { return implementation(tensor)->is_contiguous(); }

void *ct_tensor_data(CTTensorRef tensor) {
    void *data = nullptr;
    if (!implementation(tensor)->device().is_cpu()) return nullptr;
    guarded([&] { data = const_cast<void *>(borrow(tensor).const_data_ptr()); });
    return data;
}

size_t ct_dtype_size(int32_t dtype) { return c10::elementSize(static_cast<at::ScalarType>(dtype)); }

CTStatus ct_tensor_set_data(CTTensorRef tensor, CTTensorRef source) {
    return guarded([&] { borrow(tensor).set_data(borrow(source)); });
}
