// Gloo's names, as far as libtorch's header of its Gloo process group mentions them.
//
// libtorch contains Gloo, but a `torch` wheel does not bring Gloo's headers. Only pointers to these classes are part of the
// process group's layout, and no code of theirs is compiled here, so that the names and the signatures suffice.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gloo {

class Context {
   public:
    void setTimeout(std::chrono::milliseconds timeout);
};

namespace transport {

class Device;

class UnboundBuffer {
   public:
    virtual ~UnboundBuffer() = 0;
};

}  // namespace transport

namespace rendezvous {

class Store {
   public:
    virtual ~Store() = default;
    virtual void set(const std::string &key, const std::vector<char> &value) = 0;
    virtual std::vector<char> get(const std::string &key) = 0;
    virtual void wait(const std::vector<std::string> &keys) = 0;
    virtual void wait(const std::vector<std::string> &keys, const std::chrono::milliseconds &timeout) = 0;
};

}  // namespace rendezvous
}  // namespace gloo
