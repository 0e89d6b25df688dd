import Checkpoints
import Foundation
import Testing

/// A safetensors file from a header's text and data.
private func safetensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
    littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

private func entry(_ type: String, _ shape: String, _ begin: String, _ end: String) -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
}

@Suite struct SafetensorsFileTests {
    @Test func `every golden file reads as another parser reads it`() throws {
        for name in [
            "upn-tiny/weights", "upn-tiny/expected", "upn-tiny/checkpoint-sample.expected", "chatrex-tiny/weights",
            "chatrex-tiny/preprocess",
        ] {
            let url = golden("\(name).safetensors")
            let file = try SafetensorsFile(url: url)
            let data = try Data(contentsOf: url)
            let headerCount = Int(data.prefix(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
            let object = try JSONSerialization.jsonObject(with: data[8..<(8 + headerCount)])
            let header = try #require(object as? [String: [String: Any]])
            #expect(Set(file.names) == Set(header.keys).subtracting(["__metadata__"]))
            for name in file.names {
                let record = try #require(file.record(named: name))
                let offsets = try #require(header[name]?["data_offsets"] as? [Int])
                #expect(record.shape == header[name]?["shape"] as? [Int])
                #expect(record.elementType.rawValue == header[name]?["dtype"] as? String)
                #expect(record.isContiguous)
                #expect(record.packedBytes() == data[(8 + headerCount + offsets[0])..<(8 + headerCount + offsets[1])])
            }
        }
    }

    @Test func `a record outlives the archive it came from`() throws {
        let folder = try TemporaryFolder()
        let url = try folder.file("a", safetensors(#"{"x":\#(entry("F32", "[1]", "0", "4"))}"#, data: bytes([2.5])))
        let record = try #require(try SafetensorsFile(url: url).record(named: "x"))
        #expect(record.withBytes { $0.loadUnaligned(as: Float.self) } == 2.5)
        #expect(record.strides == [1] && record.byteCount == 4)
    }

    @Test func `metadata, escapes, padding, scalars and empty tensors are read in the header's order`() throws {
        let folder = try TemporaryFolder()
        let header = """
            {"__metadata__":{"format":"pt","\\u00e9\\n":"\\ud83d\\ude00"}, "z\\"/é" : \(entry("U8", "[]", "2", "3")),
            "empty":\(entry("F64", "[0,3]", "0", "0")),"a":\(entry("BOOL", "[2]", "0", "2"))}   
            """
        let file = try SafetensorsFile(url: try folder.file("a", safetensors(header, data: [1, 0, 9])))
        #expect(file.metadata == ["format": "pt", "é\n": "😀"])
        #expect(file.names == ["z\"/é", "empty", "a"])
        #expect(file.record(named: "z\"/é")?.packedBytes() == Data([9]))
        #expect(file.record(named: "empty")?.packedBytes() == Data())
        #expect(file.record(named: "empty")?.strides == [3, 1])
        #expect(file.record(named: "a")?.packedBytes() == Data([1, 0]))
        #expect(file.record(named: "b") == nil)
    }

    static let malformedHeaders: [(String, CheckpointError.Kind)] = [
        ("", .malformed), ("[]", .malformed), ("{", .malformed), (" {}", .malformed), ("{}x", .malformed),
        (#"{"a":1}"#, .malformed), (#"{"a":{}}"#, .malformed), (#"{"a":null,}"#, .malformed),
        (#"{"__metadata__":[]}"#, .malformed), (#"{"__metadata__":{"a":1}}"#, .malformed),
        (#"{"a":\#(entry("F32", "[1]", "0", "4")),"a":\#(entry("F32", "[1]", "4", "8"))}"#, .malformed),
        (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, .malformed),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#, .malformed),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, .malformed),
        (#"{"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}}"#, .malformed),
        (#"{"a":\#(entry("F99", "[2]", "0", "8"))}"#, .unsupported),
        (#"{"a":\#(entry("F32", "[2.0]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[-2]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "2", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[02]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[\"2\"]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[4294967296,4294967296]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F64", "[2305843009213693952]", "0", "0"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[18446744073709551618]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[2]", "-8", "0"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[2]", "8", "0"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[2]", "0", "9223372036854775808"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[2]", "-9223372036854775808", "9223372036854775807"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[3]", "0", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[1]", "0", "4"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[3]", "0", "12"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[1]", "4", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[2]", "0", "8")),"b":\#(entry("F32", "[1]", "4", "8"))}"#, .malformed),
        (#"{"a":\#(entry("F32", "[2]", "0", "8")),"b":\#(entry("F32", "[2]", "0", "8"))}"#, .malformed),
        (#"{"a":"\ud800"}"#, .malformed), (#"{"a":"\x"}"#, .malformed), ("{\"a\":\"\u{1}\"}", .malformed),
        (#"{"a":\#(String(repeating: "[", count: 200_000))"#, .limitExceeded),
    ]

    @Test func `a header that breaks the format is refused`() throws {
        let folder = try TemporaryFolder()
        for (header, kind) in Self.malformedHeaders {
            let url = try folder.file("a", safetensors(header, data: [UInt8](repeating: 0, count: 8)))
            #expect(checkpointError { _ = try SafetensorsFile(url: url) }?.kind == kind, "\(header.prefix(100))")
        }
    }

    @Test func `a header's length is checked against the file before it is used`() throws {
        let folder = try TemporaryFolder()
        for claimed: UInt64 in [3, 1 << 60, .max] {
            let url = try folder.file("a", littleEndian(claimed) + Array("{}".utf8))
            #expect(checkpointError { _ = try SafetensorsFile(url: url) }?.kind == .malformed)
        }
        let short = try folder.file("b", [2, 0, 0])
        #expect(checkpointError { _ = try SafetensorsFile(url: short) }?.kind == .malformed)

        let large = try folder.file("c", littleEndian(100_000_001 as UInt64))
        #expect(truncate(large.path, 100_000_009) == 0)  // sparse, so it takes no room
        #expect(checkpointError { _ = try SafetensorsFile(url: large) }?.kind == .limitExceeded)
    }

    @Test func `a header that is no valid UTF-8 is refused`() throws {
        let folder = try TemporaryFolder()
        let header = Array(#"{"__metadata__":{"a":""#.utf8) + [0xC3, 0x28] + Array(#""}}"#.utf8)
        let url = try folder.file("a", littleEndian(UInt64(header.count)) + header)
        #expect(checkpointError { _ = try SafetensorsFile(url: url) }?.kind == .malformed)
    }
}
