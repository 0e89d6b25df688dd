import Annotations
import Foundation
import Testing

@Suite("Tar archives") struct TarReaderTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private struct Listed: Decodable {
        let name: String, offset: Int, count: Int, isFile: Bool
    }

    /// Archives in a format, made by Python, which also says where everything stands.
    private static let maker = """
        import io, json, sys, tarfile
        path, form = sys.argv[1:]
        entries = [("a/000.jpg", b"x" * 1000), ("a/000.txt", b"a dog"), ("empty.jpg", b""), ("block.png", b"y" * 512),
                   ("n\\u00e4me.jpg", b"z" * 513), (b"b\\xffd.jpg".decode("utf8", "surrogateescape"), b"q")]
        if form != "ustar":
            entries.append(("deep/" * 60 + "long.jpg", b"long" * 300))
        else:
            entries.append(("deep/" * 25 + "l" * 90 + ".jpg", b"long" * 300))
        with tarfile.open(path, "w", format=getattr(tarfile, form.upper() + "_FORMAT"), errors="surrogateescape") as tar:
            folder = tarfile.TarInfo("a"); folder.type = tarfile.DIRTYPE; tar.addfile(folder)
            link = tarfile.TarInfo("link.jpg"); link.type = tarfile.SYMTYPE; link.linkname = "l" * (300 if form != "ustar" else 90)
            tar.addfile(link)
            for name, data in entries:
                info = tarfile.TarInfo(name); info.size = len(data); info.mtime = 1.5 if form == "pax" else 1
                tar.addfile(info, io.BytesIO(data))
        def shown(name):
            return "".join("\\\\x%02X" % (ord(c) - 0xDC00) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in name)
        with tarfile.open(path, errors="surrogateescape") as tar:
            print(json.dumps([dict(name=shown(m.name), offset=m.offset_data, count=m.size, isFile=m.isfile()) for m in tar]))
        """

    private func made(_ form: String, in folder: URL) throws -> (path: String, members: [Listed]) {
        let path = folder.appendingPathComponent("\(form).tar").path
        let process = Process(), output = Pipe()
        process.executableURL = Self.root.appendingPathComponent(".deps/venv/bin/python3")
        process.arguments = ["-c", Self.maker, path, form]
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (path, try JSONDecoder().decode([Listed].self, from: data))
    }

    private func members(_ path: String) throws -> [TarMember] {
        var reader = try TarReader(path: path), members: [TarMember] = []
        while let member = try reader.next() { members.append(member) }
        return members
    }

    @Test("Every format is read as Python reads it", arguments: ["ustar", "gnu", "pax"])
    func formats(form: String) throws {
        try withTemporaryFolder { folder in
            let (path, listed) = try made(form, in: folder)
            let found = try members(path)
            try #require(found.count == 9)
            for (member, wanted) in zip(found, listed) {
                #expect(member.name == wanted.name)
                #expect(member.count == wanted.count && member.offset == wanted.offset)
                #expect((member.kind == .file) == wanted.isFile)
            }
            #expect(found[0].kind == .folder && found[1].kind == .other)
            #expect(found[7].name == "b\\xFFd.jpg")
            let reader = try TarReader(path: path)
            #expect(try reader.bytes(of: found[3]) == Array("a dog".utf8))
            #expect(try reader.bytes(of: found[8]) == Array(String(repeating: "long", count: 300).utf8))
            #expect(throws: AnnotationsError.self) { try reader.bytes(of: found[8], limit: 1000) }
        }
    }

    @Test("An archive cut off anywhere gives what is whole, then an error", arguments: ["ustar", "gnu", "pax"])
    func truncated(form: String) throws {
        try withTemporaryFolder { folder in
            let (path, listed) = try made(form, in: folder)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let cut = folder.appendingPathComponent("cut.tar")
            let last = try #require(listed.last)
            let end = (last.offset + last.count + 511) / 512 * 512
            for length in stride(from: 1, through: end, by: 251) {
                try whole.prefix(length).write(to: cut)
                var reader = try TarReader(path: cut.path), count = 0
                #expect(throws: AnnotationsError.self) {
                    while let member = try reader.next() {
                        #expect(member.offset + member.count <= length)
                        count += 1
                    }
                }
                #expect(count == listed.count { $0.offset + ($0.isFile ? $0.count : 0) <= length })
                #expect(try reader.next() == nil)
            }
        }
    }

    /// A header of the classical format around some fields.
    private func header(
        name: String = "x.jpg", size: [UInt8] = Array("00000000001\0".utf8), type: Character = "0",
        magic: String = "ustar\0" + "00"
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        block.replaceSubrange(124..<124 + size.count, with: size)
        block.replaceSubrange(148..<156, with: Array("        ".utf8))
        block[156] = type.asciiValue ?? 0
        block.replaceSubrange(257..<257 + magic.utf8.count, with: magic.utf8)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
        return block
    }

    private static func binary(_ number: UInt64, first: UInt8 = 0x80) -> [UInt8] {
        [first, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    @Test(
        "No size is believed",
        arguments: [
            binary(1 << 60), binary(.max), binary(1, first: 0xFF), [UInt8](repeating: 0xFF, count: 12),
            Array("77777777777\0".utf8), Array("-0000000001\0".utf8), Array("000000000x1\0".utf8),
            Array("0x000000001\0".utf8), Array("00000002001\0".utf8),
        ])
    func sizes(size: [UInt8]) throws {
        try withTemporaryFolder { folder in
            for type in ["0", "x", "L", "S", "g", "Z"] as [Character] {
                let file = folder.appendingPathComponent("\(type).tar")
                try Data(header(size: size, type: type) + [UInt8](repeating: 1, count: 1024)).write(to: file)
                #expect(throws: AnnotationsError.self) { try members(file.path) }
            }
        }
    }

    @Test("What is no archive says so")
    func noArchive() throws {
        try withTemporaryFolder { folder in
            func file(_ name: String, _ bytes: [UInt8]) throws -> String {
                let url = folder.appendingPathComponent(name)
                try Data(bytes).write(to: url)
                return url.path
            }
            let zeros = [UInt8](repeating: 0, count: 1024)
            #expect(try members(file("blank.tar", zeros)).isEmpty)
            let member = header() + [1] + [UInt8](repeating: 0, count: 511)
            #expect(try members(file("good.tar", member + zeros)).count == 1)
            // Unix V7 has no magic word, and old writers leave the last block out.
            #expect(try members(file("v7.tar", header(type: "\0", magic: "") + member[512...] + zeros)).count == 1)
            #expect(try members(file("short.tar", member + zeros[..<512])).count == 1)

            var damaged = member
            damaged[0] ^= 1
            let record = Array("99999 path=x\n".utf8)
            let pax =
                header(size: Array("00000000015\0".utf8), type: "x") + record
                + [UInt8](repeating: 0, count: 512 - record.count)
            for (name, bytes) in [
                ("empty", []), ("text", Array("hello".utf8)),
                ("noise", (0..<2048).map { UInt8(truncatingIfNeeded: $0 &* 37) }),
                ("sum", damaged + zeros), ("open", member), ("joined", member + zeros + member + zeros),
                ("records", pax + member + zeros), ("lonely", header(type: "L") + member[512...] + zeros),
            ] as [(String, [UInt8])] {
                let path = try file(name + ".tar", bytes)
                #expect(throws: AnnotationsError.self, "\(name)") { try members(path) }
            }
            #expect(throws: AnnotationsError.self) { try TarReader(path: folder.path) }
            #expect(throws: AnnotationsError.self) { try TarReader(path: folder.path + "/missing.tar") }
        }
    }

    @Test("A sparse file is passed over, and what follows is found")
    func sparse() throws {
        try withTemporaryFolder { folder in
            var sparse = header(type: "S", magic: "ustar  \0")
            sparse[482] = 1
            var map = [UInt8](repeating: 7, count: 512)
            map[504] = 0
            // The checksum holds the flag.
            let sum = String(
                sparse.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) },
                radix: 8)
            sparse.replaceSubrange(
                148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
            let data = [1] + [UInt8](repeating: 0, count: 511)
            let file = folder.appendingPathComponent("sparse.tar")
            try Data(sparse + map + data + header(name: "y.jpg") + data + [UInt8](repeating: 0, count: 1024)).write(
                to: file)
            let found = try members(file.path)
            #expect(found.map(\.name) == ["x.jpg", "y.jpg"])
            #expect(found.map(\.kind) == [.other, .file])
            #expect(found.last?.offset == 4 * 512)
        }
    }
}

/// Runs `body` with a new empty folder, removed afterwards.
private func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tar-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}
