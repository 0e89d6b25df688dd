// What belongs to the process or to a device: version, memory settings, threads, random numbers, backends.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>

#include <mutex>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "Guard.h"

using namespace ctorch;

namespace {

const at::Generator &generator(int32_t type, int32_t index) {
    return at::globalContext().defaultGenerator(c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index)));
}

/// CUDA kernels live in a library of their own that registers itself when it is loaded.
void loadBackend(c10::DeviceType type) {
    static std::once_flag once;
    if (type == c10::DeviceType::CUDA) {
        std::call_once(once, [] { dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL); });
    }
}

}  // namespace

const char *ct_version(void) { return TORCH_VERSION; }

void ct_initialize(void) {
#if defined(__GLIBC__)
    // By default glibc returns large freed buffers to the kernel and faults them in again at the next allocation,
    // which costs a network with large activations nearly half of its time.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

CTStatus ct_manual_seed(uint64_t seed) {
    return guarded([&] { at::manual_seed(seed); });
}

CTStatus ct_random_state(int32_t device_type, int32_t index, CTTensorRef *out) {
    return guarded([&] {
        auto source = generator(device_type, index);
        std::lock_guard<std::mutex> lock(source.mutex());
        *out = release(source.get_state());
    });
}

CTStatus ct_set_random_state(int32_t device_type, int32_t index, CTTensorRef state) {
    return guarded([&] {
        auto source = generator(device_type, index);
        std::lock_guard<std::mutex> lock(source.mutex());
        source.set_state(borrow(state));
    });
}

CTStatus ct_set_thread_count(int32_t count) {
    return guarded([&] { at::set_num_threads(count); });
}

int32_t ct_thread_count(void) { return at::get_num_threads(); }

bool ct_device_is_available(int32_t device_type) { return ct_device_count(device_type) > 0; }

int32_t ct_device_count(int32_t device_type) {
    int32_t count = 0;
    guarded([&] {
        auto type = static_cast<c10::DeviceType>(device_type);
        loadBackend(type);
        if (c10::impl::hasDeviceGuardImpl(type)) count = c10::impl::getDeviceGuardImpl(type)->deviceCount();
    });
    return count;
}

CTStatus ct_device_synchronize(int32_t device_type, int32_t index) {
    return guarded([&] {
        auto type = static_cast<c10::DeviceType>(device_type);
        if (type == c10::DeviceType::CPU) return;
        c10::impl::VirtualGuardImpl(type).synchronizeDevice(static_cast<c10::DeviceIndex>(index));
    });
}
