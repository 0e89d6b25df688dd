import ChatRexCommand
import Foundation
import Imaging
import Testing

/// Which files are read and which are written.
@Suite struct FilesTests {
    @Test("Files, folders and patterns give each picture once, in order")
    func sources() throws {
        try withTemporaryFolder { folder in
            let root = folder.path
            try FileManager.default.createDirectory(atPath: root + "/sub", withIntermediateDirectories: true)
            for name in ["b.JPG", "a.png", "note.txt", ".hidden.png", "sub/c.webp"] {
                try Data([1]).write(to: folder.appendingPathComponent(name))
            }
            try FileManager.default.createSymbolicLink(atPath: root + "/sub/loop", withDestinationPath: root)
            func paths(_ names: String..., recursive: Bool = false) -> [String] {
                SourceList(names.map { root + $0 }, recursive: recursive).paths.map { String($0.dropFirst(root.count)) }
            }
            #expect(paths("") == ["/a.png", "/b.JPG"])
            #expect(paths("", recursive: true) == ["/a.png", "/b.JPG", "/sub/c.webp"])
            #expect(paths("/b.JPG", "", "/*.png") == ["/b.JPG", "/a.png"])
            #expect(paths("/missing.png", "/note.txt") == ["/missing.png", "/note.txt"])
            let list = SourceList([root + "/*.gif", root + "/sub/../sub/loop/nowhere*"])
            #expect(list.paths.isEmpty && list.problems.count == 2)
        }
    }

    @Test("Pictures of one name are numbered, and formats that cannot be written become PNG")
    func plan() throws {
        try withTemporaryFolder { folder in
            let out = folder.path + "/out", sources = ["1/x.jpg", "2/X.png", "3/x.tiff", "y.webp"]
            let plan = try PicturePlan(sources: sources, out: out)
            #expect(sources.map(plan.picture) == ["x.jpg", "X-2.png", "x-3.png", "y.webp"].map { out + "/" + $0 })
            #expect(sources.map(plan.stem) == ["x", "X-2", "x-3", "y"])
            let one = try PicturePlan(sources: ["1/x.jpg"], out: out + "/new/z.png")
            #expect(one.picture(for: "1/x.jpg") == out + "/new/z.png")
            #expect(throws: CommandLineError.self) { try PicturePlan(sources: sources, out: out + "/z.png") }
            #expect(throws: ImagingError.self) { try PicturePlan(sources: ["1/x.jpg"], out: out + "/z.bmp") }
        }
    }

    @Test("A picture that is read is never written, by whatever name it goes")
    func inputs() throws {
        try withTemporaryFolder { folder in
            let file = folder.path + "/a.png"
            try Data([1]).write(to: URL(fileURLWithPath: file))
            try FileManager.default.createDirectory(atPath: folder.path + "/out", withIntermediateDirectories: true)
            try FileManager.default.linkItem(atPath: file, toPath: folder.path + "/out/a.png")
            for out in ["", "/out", "/a.png", "/out/a.png"] {
                #expect(throws: CommandLineError.self) { try PicturePlan(sources: [file], out: folder.path + out) }
            }
        }
    }

    @Test("Tables are aligned and hold no line breaks")
    func table() {
        var table = Table([("n", .right), ("name", .left), ("more", .left)], indentation: 0)
        #expect(table.lines.isEmpty)
        table.add(["1", "a", "x"])
        table.add(["23", "long\nname", "y\u{1B}"])
        #expect(table.lines == [" n  name       more", " 1  a          x", "23  long name  y\u{FFFD}"])
    }
}
