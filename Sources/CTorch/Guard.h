// The one place where C++ exceptions end: every entry point of CTorch runs its body through `guarded`.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "CTorch.h"

namespace ctorch {

inline thread_local std::string lastError;

inline CTStatus fail(CTStatus status, const char *message) noexcept {
    try {
        lastError = message;
    } catch (...) {
    }
    return status;
}

template <typename Body>
CTStatus guarded(Body &&body) noexcept {
    try {
        body();
        return CT_OK;
    } catch (const c10::OutOfMemoryError &e) {
        return fail(CT_ERROR_OUT_OF_MEMORY, e.what_without_backtrace());
    } catch (const c10::IndexError &e) {
        return fail(CT_ERROR_INDEX, e.what_without_backtrace());
    } catch (const c10::ValueError &e) {
        return fail(CT_ERROR_VALUE, e.what_without_backtrace());
    } catch (const c10::TypeError &e) {
        return fail(CT_ERROR_TYPE, e.what_without_backtrace());
    } catch (const c10::NotImplementedError &e) {
        return fail(CT_ERROR_NOT_IMPLEMENTED, e.what_without_backtrace());
    } catch (const c10::Error &e) {
        // The CPU allocator reports exhaustion as a plain error.
        std::string message = e.what_without_backtrace();
        bool memory = message.find("can't allocate memory") != std::string::npos;
        return fail(memory ? CT_ERROR_OUT_OF_MEMORY : CT_ERROR_VALUE, message.c_str());
    } catch (const std::bad_alloc &) {
        return fail(CT_ERROR_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &e) {
        return fail(CT_ERROR_INTERNAL, e.what());
    } catch (...) {
        return fail(CT_ERROR_INTERNAL, "unknown C++ exception");
    }
}

/// A borrowed look at the tensor behind a reference.
inline at::Tensor borrow(CTTensorRef ref) {
    return at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(
        reinterpret_cast<at::TensorImpl *>(ref)));
}

/// Hands a tensor out as an owned reference.
inline CTTensorRef release(at::Tensor tensor) {
    return reinterpret_cast<CTTensorRef>(tensor.unsafeReleaseTensorImpl());
}

inline at::TensorImpl *implementation(CTTensorRef ref) { return reinterpret_cast<at::TensorImpl *>(ref); }

}  // namespace ctorch
