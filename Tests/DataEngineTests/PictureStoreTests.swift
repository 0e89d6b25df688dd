import DataEngine
import Foundation
import Testing

@Suite struct PictureStoreTests {
    @Test("Pictures are saved while others of their folder are removed, and nothing is left behind at the end")
    func savingWhileRemoving() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pictures-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try PictureStore(folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in [0, 500] {
                group.addTask {
                    for number in 0..<1000 {
                        try store.save([1, 2, 3], first + number % 7)
                        store.remove(first + number % 7)
                    }
                }
            }
            try await group.waitForAll()
        }
        try store.save([4], 12)
        try store.removeAll { $0 == 12 }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == ["0", "0/12"])
        try store.removeAll { _ in false }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
