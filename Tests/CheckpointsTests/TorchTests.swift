import Checkpoints
import Foundation
import Testing
import Torch
import TorchNN

@Suite struct TorchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `every dtype has an element type of the same size and back`() {
        for dtype in DType.allCases {
            #expect(ElementType(dtype).dtype == dtype)
            #expect(ElementType(dtype).byteCount == dtype.byteCount)
        }
        #expect(Set(ElementType.allCases.map(\.dtype)).count == ElementType.allCases.count)
    }

    @Test func `tensors of the golden checkpoint equal those laid out plainly`() throws {
        let archive = try PyTorchArchive(url: golden("upn-tiny/checkpoint-sample.pth"))
        let expected = try SafetensorsFile(url: golden("upn-tiny/checkpoint-sample.expected.safetensors"))
        for name in expected.names {
            let found = try archive.tensor(named: name)
            let wanted = try expected.tensor(named: name)
            #expect(found.shape == wanted.shape && found.dtype == wanted.dtype, "\(name)")
            #expect(found.strides == archive.record(named: name)?.strides, "\(name)")
            #expect(try found.array(of: Double.self) == wanted.array(of: Double.self), "\(name)")
        }
    }

    @Test func `tensors written are read back in order, whatever their strides and dtype`() throws {
        let base = try Tensor((0..<24).map(Float.init), shape: [2, 3, 4])
        var tensors: [(name: String, tensor: Tensor)] = [
            ("transposed", try base.transposed(0, 2)), ("scalar", try Tensor(scalar: Int64(7))),
            ("empty", try Tensor.empty([0, 4], dtype: .float32)),
        ]
        for dtype in [DType.bool, .uint8, .int8, .int16, .int32, .int64, .float16, .bfloat16, .float64] {
            tensors.append(("\(dtype)", try base.to(dtype: dtype)))
        }
        try SafetensorsWriter.write(tensors, to: folder("a"))
        let file = try SafetensorsFile(url: folder("a"))
        #expect(file.names == tensors.map(\.name))
        for (name, tensor) in tensors {
            let read = try file.tensor(named: name)
            #expect(read.shape == tensor.shape && read.dtype == tensor.dtype, "\(name)")
            #expect(try read.array(of: Double.self) == tensor.array(of: Double.self), "\(name)")
        }
        let urls = try SafetensorsWriter.write(tensors, toFolder: folder("model"), maximumShardBytes: 100)
        #expect(urls.count > 2)
        #expect(try TensorArchives.open(at: folder("model")).names == tensors.map(\.name))
    }

    @Test func `a tensor outlives its archive and is converted on request`() throws {
        try SafetensorsWriter.write([("x", try Tensor([1.5, -2] as [Float]))], to: folder("a"))
        let tensor = try SafetensorsFile(url: folder("a")).tensor(named: "x")
        try FileManager.default.removeItem(at: folder("a"))
        #expect(try tensor.array(of: Float.self) == [1.5, -2])

        try SafetensorsWriter.write([("x", tensor)], to: folder("b"))
        let record = try #require(try SafetensorsFile(url: folder("b")).record(named: "x"))
        let half = try record.tensor(dtype: .bfloat16)
        #expect(half.dtype == .bfloat16)
        #expect(try half.array(of: Float.self) == [1.5, -2])
    }

    @Test func `writing to a tensor changes neither the file nor other tensors read from it`() throws {
        try SafetensorsWriter.write(
            [("x", try Tensor([1, 2, 3] as [Float])), ("y", try Tensor([4] as [Float]))], to: folder("a"))
        let before = try Data(contentsOf: folder("a"))
        let file = try SafetensorsFile(url: folder("a"))
        let tensor = try file.tensor(named: "x")
        try tensor.fill(9)
        #expect(try tensor.array(of: Float.self) == [9, 9, 9])
        #expect(try file.tensor(named: "x").array(of: Float.self) == [1, 2, 3])
        #expect(try file.tensor(named: "y").array(of: Float.self) == [4])
        #expect(try Data(contentsOf: folder("a")) == before)
    }

    @Test func `a tensor that is not aligned in its file is read all the same`() throws {
        let header =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"#
        let content = littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + [5] + bytes([0.25, -8])
        let file = try SafetensorsFile(url: try folder.file("a", content))
        #expect(file.record(named: "x")?.isAligned == false)
        #expect(try file.tensor(named: "x").array(of: Float.self) == [0.25, -8])
    }

    @Test func `a store loads a model from an archive`() throws {
        try SafetensorsWriter.write(
            [("layer.weight", try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))], to: folder("a"))
        let store = ParameterStore(try TensorArchives.open(at: folder("a")))
        let weight = try (store.weights / "layer").parameter("weight", [2, 2], .zeros)
        try store.checkComplete()
        #expect(try weight.array(of: Float.self) == [1, 2, 3, 4])
    }

    @Test func `an unknown name is an error`() throws {
        let file = try SafetensorsFile(url: golden("upn-tiny/weights.safetensors"))
        #expect(file.shape(of: "nothing") == nil)
        #expect(checkpointError { _ = try file.tensor(named: "nothing") }?.kind == .missingTensor)
    }
}
