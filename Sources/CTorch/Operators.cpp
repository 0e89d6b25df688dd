// Operators: found by schema name in libtorch's dispatcher and called boxed.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "Guard.h"

using namespace ctorch;

struct CTOperator {
    c10::OperatorHandle handle;
    std::string schema;
};

namespace {

const c10::Type &unwrapped(const c10::Type &type, c10::TypePtr &keep) {
    if (type.kind() == c10::TypeKind::OptionalType) {
        keep = type.castRaw<c10::OptionalType>()->getElementType();
        return *keep;
    }
    return type;
}

at::Tensor optionalTensor(CTTensorRef ref) { return ref ? borrow(ref) : at::Tensor(); }

c10::IValue tensorList(const CTValue &value, const c10::Type &type) {
    bool optionalElements = false;
    if (type.kind() == c10::TypeKind::ListType) {
        optionalElements =
            type.castRaw<c10::ListType>()->getElementType()->kind() == c10::TypeKind::OptionalType;
    }
    if (optionalElements) {
        c10::List<std::optional<at::Tensor>> list;
        list.reserve(value.count);
        for (int64_t i = 0; i < value.count; ++i) {
            if (value.tensors[i]) {
                list.push_back(borrow(value.tensors[i]));
            } else {
                list.push_back(std::nullopt);
            }
        }
        return list;
    }
    c10::List<at::Tensor> list;
    list.reserve(value.count);
    for (int64_t i = 0; i < value.count; ++i) list.push_back(optionalTensor(value.tensors[i]));
    return list;
}

/// An argument as libtorch wants it; the schema's type settles what the caller's C type leaves open.
c10::IValue argument(const CTValue &value, const c10::Argument &schema) {
    c10::TypePtr keep;
    const c10::Type &type = unwrapped(*schema.type(), keep);
    switch (value.tag) {
        case CT_NONE:
            return c10::IValue();
        case CT_DEFAULT: {
            TORCH_CHECK_VALUE(schema.default_value().has_value(), "argument '", schema.name(), "' has no default");
            return *schema.default_value();
        }
        case CT_TENSOR:
            return borrow(value.tensor);
        case CT_INT:
            if (type.kind() == c10::TypeKind::FloatType) return static_cast<double>(value.integer);
            if (type.kind() == c10::TypeKind::BoolType) return value.integer != 0;
            if (type.kind() == c10::TypeKind::ListType) return c10::List<int64_t>({value.integer});
            return value.integer;
        case CT_DOUBLE:
            if (type.kind() == c10::TypeKind::ListType) return c10::List<double>({value.real});
            return value.real;
        case CT_BOOL:
            return value.integer != 0;
        case CT_STRING:
            return std::string(value.string);
        case CT_DEVICE:
            return c10::Device(static_cast<c10::DeviceType>(value.integer), static_cast<c10::DeviceIndex>(value.count));
        case CT_INTS: {
            c10::List<int64_t> list;
            list.reserve(value.count);
            for (int64_t i = 0; i < value.count; ++i) list.push_back(value.integers[i]);
            return list;
        }
        case CT_DOUBLES: {
            c10::List<double> list;
            for (int64_t i = 0; i < value.count; ++i) list.push_back(value.reals[i]);
            return list;
        }
        case CT_BOOLS: {
            c10::List<bool> list;
            for (int64_t i = 0; i < value.count; ++i) list.push_back(value.integers[i] != 0);
            return list;
        }
        case CT_TENSORS:
            return tensorList(value, type);
    }
    TORCH_CHECK_TYPE(false, "unknown tag for argument '", schema.name(), "'");
}

CTValue result(c10::IValue &&value) {
    CTValue out{};
    if (value.isTensor()) {
        at::Tensor tensor = std::move(value).toTensor();
        out.tag = tensor.defined() ? CT_TENSOR : CT_NONE;
        if (tensor.defined()) out.tensor = release(std::move(tensor));
    } else if (value.isTensorList()) {
        auto list = value.toTensorVector();
        out.tag = CT_TENSORS;
        out.count = static_cast<int64_t>(list.size());
        out.tensors = static_cast<CTTensorRef *>(std::malloc(sizeof(CTTensorRef) * (list.size() + 1)));
        if (!out.tensors) throw std::bad_alloc();
        for (size_t i = 0; i < list.size(); ++i) out.tensors[i] = release(std::move(list[i]));
    } else if (value.isInt()) {
        out.tag = CT_INT;
        out.integer = value.toInt();
    } else if (value.isDouble()) {
        out.tag = CT_DOUBLE;
        out.real = value.toDouble();
    } else if (value.isBool()) {
        out.tag = CT_BOOL;
        out.integer = value.toBool();
    } else if (value.isNone()) {
        out.tag = CT_NONE;
    } else {
        TORCH_CHECK_TYPE(false, "results of type ", value.tagKind(), " cannot be handed out");
    }
    return out;
}

void releaseResult(CTValue &value) {
    if (value.tag == CT_TENSOR) ct_tensor_release(value.tensor);
    if (value.tag == CT_TENSORS) {
        for (int64_t i = 0; i < value.count; ++i) ct_tensor_release(value.tensors[i]);
        ct_tensors_free(value.tensors);
    }
    value.tag = CT_NONE;
}

}  // namespace

CTStatus ct_operator_find(const char *name, const char *overload, CTOperatorRef *out) {
    static std::mutex mutex;
    static std::unordered_map<std::string, std::unique_ptr<CTOperator>> known;
    bool found = false;
    CTStatus status = guarded([&] {
        std::lock_guard<std::mutex> lock(mutex);
        std::string key = std::string(name) + "." + overload;
        auto &entry = known[key];
        if (!entry) {
            auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
            if (handle) entry.reset(new CTOperator{*handle, c10::toString(handle->schema())});
        }
        found = entry != nullptr;
        if (found) *out = entry.get();
    });
    if (status == CT_OK && !found) {
        std::string message = std::string("this libtorch has no operator ") + name;
        if (*overload) message += std::string(".") + overload;
        return fail(CT_ERROR_NOT_FOUND, message.c_str());
    }
    return status;
}

const char *ct_operator_schema(CTOperatorRef op) { return op->schema.c_str(); }

CTStatus ct_operator_call(CTOperatorRef op, const CTValue *arguments, int32_t argument_count, CTValue *results,
                          int32_t result_capacity, int32_t *result_count) {
    int32_t made = 0;
    CTStatus status = guarded([&] {
        const auto &parameters = op->handle.schema().arguments();
        TORCH_CHECK_VALUE(static_cast<size_t>(argument_count) <= parameters.size(), "too many arguments for ", op->schema);
        TORCH_CHECK_VALUE(static_cast<size_t>(result_capacity) >= op->handle.schema().returns().size(),
                          "too little room for the results of ", op->schema);
        static const CTValue absent{CT_DEFAULT, 0, {nullptr}};
        torch::jit::Stack stack;
        stack.reserve(parameters.size());
        for (size_t i = 0; i < parameters.size(); ++i) {
            const CTValue &value = static_cast<int32_t>(i) < argument_count ? arguments[i] : absent;
            stack.push_back(argument(value, parameters[i]));
        }
        op->handle.callBoxed(stack);
        for (auto &value : stack) {
            results[made] = result(std::move(value));
            ++made;
        }
    });
    if (status != CT_OK) {
        for (int32_t i = 0; i < made; ++i) releaseResult(results[i]);
        made = 0;
    }
    *result_count = made;
    return status;
}

void ct_tensors_free(CTTensorRef *tensors) { std::free(tensors); }

const char *ct_last_error(void) { return lastError.c_str(); }
