import Foundation
import Testing
import Torch

@Suite struct TensorTests {
    /// Tells when it goes.
    private final class Owner {
        let onRelease: () -> Void
        init(_ onRelease: @escaping () -> Void) { self.onRelease = onRelease }
        deinit { onRelease() }
    }

    @Test func valuesSurviveTheRoundTripInEveryDType() throws {
        let values: [Float] = [-2, -0.5, 0, 1, 3]
        for dtype in [DType.float16, .bfloat16, .float32, .float64] {
            #expect(try Tensor(values).converted(to: dtype).array(of: Float.self) == values)
        }
        #expect(try Tensor([1, 2, 3]).dtype == .int64)
        #expect(try Tensor([UInt8(200)]).converted(to: .int32).array(of: Int32.self) == [200])
    }

    @Test func subscriptsSliceLikeNumPy() throws {
        let x = try Tensor.range(0, 24).reshaped(2, 3, 4)
        #expect(try x[1].shape == [3, 4])
        #expect(try x[.all, 1, .range(1..<3)].array(of: Float.self) == [5, 6, 17, 18])
        #expect(try x[.rest, -1].array(of: Float.self) == [3, 7, 11, 15, 19, 23])
        #expect(try x[0, .every(2)].shape == [2, 4])
        #expect(try x[.new, .rest, .new].shape == [1, 2, 3, 4, 1])
        #expect(try x[.all, .indices(Tensor([2, 0]))].array(of: Float.self)[0] == 8)
    }

    @Test func arithmeticMatchesHandCalculation() throws {
        let a = try Tensor([1, 2, 3] as [Float]), b = try Tensor([4, 5, 6] as [Float])
        #expect(try ((a + b) * 2 - b / 2).array(of: Float.self) == [8, 11.5, 15])
        #expect(try (1 - a).array(of: Float.self) == [0, -1, -2])
        #expect(try (-a).maximum(Tensor([-2] as [Float])).array(of: Float.self) == [-1, -2, -2])
        #expect(try Tensor([7, -7] as [Float]).floorDivided(by: 2).array(of: Float.self) == [3, -4])
    }

    @Test func failuresNameTheOperatorAndTheShapes() throws {
        let a = try Tensor.zeros([2, 3]), b = try Tensor.zeros([4, 5])
        let error = #expect(throws: TorchError.self) { try a.matmul(b) }
        #expect(error?.operation == "aten::matmul([2, 3], [4, 5])")
        #expect(error?.message.contains("2x3") == true)
        #expect(throws: TorchError.self) { try a[7] }
        #expect(throws: TorchError.self) { try a.shape3() }
        #expect(throws: TorchError.self) { try Tensor([1, 2, 3] as [Float], shape: [2, 2]) }
        #expect(throws: TorchError.self) { try Operator("aten::no_such_operator")(.tensor(a)) }
    }

    @Test func exhaustedMemoryIsAnErrorNotACrash() throws {
        let error = #expect(throws: TorchError.self) { try Tensor.empty([1 << 45]) }
        #expect(error?.kind == .outOfMemory)
    }

    @Test func lentMemoryIsSeenWithoutACopyAndReturned() throws {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 6)
        defer { memory.deallocate() }
        for index in 0..<6 { memory[index] = Float(index) }
        nonisolated(unsafe) var released = false
        do {
            let view: Tensor
            do {
                let whole = try Tensor(
                    viewing: UnsafeRawBufferPointer(memory), shape: [3, 2], strides: [1, 3], dtype: .float32,
                    owner: Owner { released = true })
                view = try whole[1]
            }
            memory[1] = 10
            #expect(try view.array(of: Float.self) == [10, 4])
            #expect(!released)
        }
        #expect(released)
        #expect(throws: TorchError.self) {
            try Tensor(
                viewing: UnsafeRawBufferPointer(memory), shape: [7], dtype: .float32, owner: Owner { released = true })
        }
    }

    @Test func tenThousandOperatorsDoNotGrowTheProcess() throws {
        func residentPages() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            return Int(fields[1]) ?? 0
        }
        func work(_ count: Int) throws {
            let x = try Tensor.normal([64, 64])
            for _ in 0..<count { _ = try (x * 2).matmul(x).relu().split(size: 32, dimension: 0) }
        }
        try work(500)
        // Other tests run beside this one and come and go in memory; a leak would show every time.
        let growth = try (0..<6).map { _ in
            let before = try residentPages()
            try work(2_500)  // four operators each, 100 MB of results in all
            return try residentPages() - before
        }
        #expect(growth.contains { $0 < 512 }, "pages of 4 KiB: \(growth)")
    }

    @Test func inPlaceOperatorsKeepNothingAlive() throws {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 4)
        defer { memory.deallocate() }
        nonisolated(unsafe) var released = false
        do {
            let x = try Tensor(
                viewing: UnsafeRawBufferPointer(memory), shape: [4], dtype: .float32, owner: Owner { released = true })
            try x.fill(1)
            try x.add(x, scaledBy: 2)
            try x.scale(by: 3)
            #expect(try x.array(of: Float.self) == [9, 9, 9, 9])
        }
        #expect(released)
    }

    @Test func seedsRepeatRandomNumbers() throws {
        try Runtime.seed(7)
        let state = try Runtime.randomState()
        let first = try Tensor.normal([8]).array(of: Float.self)
        try Runtime.setRandomState(state)
        #expect(try Tensor.normal([8]).array(of: Float.self) == first)
    }

    @Test func devicesParseAndMissingOnesSaySo() throws {
        #expect(try Device(parsing: "cuda:1") == Device(.cuda, index: 1))
        for text in ["", "gpu", "cuda:x", "cpu:1:2", "cuda:-1"] {
            #expect(throws: TorchError.self) { try Device(parsing: text) }
        }
        #expect(throws: TorchError.self) { try Device(.cuda, index: 99).checked() }
    }
}
