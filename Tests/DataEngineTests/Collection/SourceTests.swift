import DataEngine
import Foundation
import Testing

@Suite("Sources of pictures") struct SourceTests {
    private func isKey(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= 80
            && key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    // MARK: Folders

    @Test("A folder offers its pictures in the order of their names, each once, whatever links there are")
    func folder() async throws {
        try await withCollectionFolder { folder in
            for name in [
                "b.JPG", "a/2.png", "a/10.webp", "c.txt", ".hidden.jpg", ".git/x.jpg", "Z.heic", "a.jpg/inner.gif",
                "ü ß.tif",
            ] {
                try folder.adding(name, "x")
            }
            let manager = FileManager.default
            try manager.createSymbolicLink(atPath: folder.path + "/a/loop", withDestinationPath: folder.path)
            try manager.createSymbolicLink(
                atPath: folder.path + "/link.png", withDestinationPath: folder.path + "/b.JPG")
            try manager.createSymbolicLink(atPath: folder.path + "/gone.png", withDestinationPath: "/nowhere")
            let (items, damages) = try await walk(Source.open(folder.path))
            let paths = items.map { item -> String in
                if case .file(let path) = item.location { String(path.dropFirst(folder.path.count + 1)) } else { "" }
            }
            #expect(paths == ["Z.heic", "a/10.webp", "a/2.png", "a.jpg/inner.gif", "b.JPG", "link.png", "ü ß.tif"])
            #expect(damages.isEmpty)
            #expect(items.allSatisfy { isKey($0.key) } && Set(items.map(\.key)).count == items.count)
            #expect(items[2].key.hasPrefix("2-"))
            // Elsewhere the same keys.
            let moved = folder.deletingLastPathComponent().appendingPathComponent("moved-\(UUID().uuidString)")
            try manager.copyItem(at: folder, to: moved)
            defer { try? manager.removeItem(at: moved) }
            #expect(try await walk(FolderSource(path: moved.path + "/")).items.map(\.key) == items.map(\.key))
        }
    }

    @Test("What the walk's body throws ends the walk")
    func bodyThrows() async throws {
        struct Enough: Error {}
        try await withCollectionFolder { folder in
            let tar = try folder.adding("x.tar", tarArchive((0..<5).map { ("\($0).jpg", [1]) }))
            let list = try folder.adding("x.txt", "https://example.org/a.jpg\nhttps://example.org/b.jpg\n")
            for place in [tar, list] {
                await #expect(throws: Enough.self) {
                    try await Source.open(place).forEachItem(onDamage: { _ in }) { _ in throw Enough() }
                }
            }
        }
    }

    // MARK: Lists

    @Test("A list of addresses offers each line; what is none is reported by its line")
    func addresses() async throws {
        try await withCollectionFolder { folder in
            let file = try folder.adding(
                "urls.txt",
                "\u{FEFF}https://example.org/a.jpg\r\n\r\n# note\n  http://example.org/dir/B%20c.png?x=1#y \nftp://x/y\n"
                    + "https://example.org/a.jpg\nhttps://example.org/\nhttps://a b/\nhttps://example.org/last")
            let (items, damages) = try await walk(Source.open(file))
            #expect(
                items.map(\.location) == [
                    .url("https://example.org/a.jpg"), .url("http://example.org/dir/B%20c.png?x=1#y"),
                    .url("https://example.org/a.jpg"), .url("https://example.org/"), .url("https://example.org/last"),
                ])
            #expect(items.allSatisfy { isKey($0.key) })
            #expect(items[0].key == items[2].key && Set(items.map(\.key)).count == 4)
            #expect(items[1].key.hasPrefix("B-20c-"))
            #expect(damages.map(\.place) == ["\(file), line 5", "\(file), line 8"])
        }
    }

    @Test("An object a line says what is known about the picture")
    func objects() async throws {
        try await withCollectionFolder { folder in
            let file = try folder.adding(
                "urls.jsonl",
                """
                {"url": "https://example.org/1.jpg", "width": 640, "height": 480.0, "text": " a dog ", "nsfw_score_opennsfw2": 0.25, "watermark_score": 0.5}
                {"URL": "https://example.org/2.jpg", "WIDTH": "x", "NSFW": "UNSURE", "caption": "", "pwatermark": null}
                {"url": "https://example.org/3.jpg", "nsfw": true, "punsafe": 7, "width": 1e300, "height": -1}
                {"width": 5}
                {"url": "file:///etc/passwd"}
                {"url": "https://example.org/4.jpg", "nsfw": "UNLIKELY"
                [1]
                {"url": "https://example.org/5.jpg", "conversations": [{"from": "human", "value": "<image>\\nWhat?"}, {"from": "gpt", "value": "A dog."}, {"from": "gpt", "value": "Alone."}, {"from": "human", "value": "Open?"}]}
                """)
            let (items, damages) = try await walk(Source.open(file))
            try #require(items.count == 4)
            #expect((items[0].width, items[0].height) == (640, 480))
            #expect(items[0].text == "a dog" && items[0].unsafeScore == 0.25 && items[0].watermarkScore == 0.5)
            #expect(items[1].width == nil && items[1].text == nil && items[1].unsafeScore == 0.5)
            #expect(items[1].watermarkScore == nil)
            #expect(items[2].unsafeScore == 1 && items[2].width == nil && items[2].height == nil)
            #expect(items[3].conversation == [ConversationTurn(question: "What?", answer: "A dog.")])
            #expect(damages.map { $0.place.suffix(1) } == ["4", "5", "6", "7"])
        }
    }

    @Test("Lines longer than any address are passed over, wherever the file is read in parts")
    func longLines() async throws {
        try await withCollectionFolder { folder in
            let long = String(repeating: "x", count: 5 << 20)
            let many = (0..<20_000).map { "https://example.org/\($0).jpg" }
            let file = try folder.adding(
                "urls.txt", (many + [long, "https://example.org/end", long]).joined(separator: "\n"))
            let (items, damages) = try await walk(AddressListSource(file: file))
            #expect(items.count == 20_001 && items.last?.location == .url("https://example.org/end"))
            #expect(items[12_345].location == .url("https://example.org/12345.jpg"))
            #expect(damages.map(\.place) == ["\(file), line 20001", "\(file), line 20003"])
        }
    }

    // MARK: Archives

    private let shard: [(name: String, bytes: [UInt8])] = [
        ("0/a.jpg", Array("one".utf8)), ("0/a.txt", Array("a dog\n".utf8)),
        ("0/a.json", Array(#"{"width": 9, "height": 9, "punsafe": 0.5, "caption": "not this"}"#.utf8)),
        ("0/a.cls", Array("3".utf8)), ("__meta__.json", Array("{}".utf8)), ("0/b.json", Array("{".utf8)),
        ("0/b.left.png", Array("two".utf8)), ("0/b.right.png", Array("three".utf8)), ("0/alone.txt", Array("x".utf8)),
        ("1/a.webp", Array("four".utf8)),
        (
            "1/a.json",
            Array(#"{"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}"#.utf8)
        ),
    ]

    @Test("An archive offers its pictures with what stands beside them")
    func archive() async throws {
        try await withCollectionFolder { folder in
            let bytes = tarArchive(shard)
            let file = try folder.adding("shard-000.tar", bytes)
            let (items, damages) = try await walk(Source.open(file))
            try #require(items.count == 4)
            let contents = items.map { item -> String in
                guard case .member(file, _, let offset, let length) = item.location else { return "" }
                return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
            }
            #expect(contents == ["one", "two", "three", "four"])
            #expect(items[0].text == "a dog" && items[0].unsafeScore == 0.5 && items[0].width == nil)
            #expect(items[1].text == nil)
            #expect(items[3].conversation == [ConversationTurn(question: "Q", answer: "A")])
            #expect(items.allSatisfy { isKey($0.key) } && Set(items.map(\.key)).count == 4)
            #expect(damages.map(\.place) == ["\(file), 0/b.json"])
        }
    }

    @Test("Names with dots keep their own texts, and those of a group are for all its pictures")
    func dottedNames() async throws {
        try await withCollectionFolder { folder in
            let members = [
                ("a.jpg", "1"), ("a.txt", "a dog"), ("a.b.jpg", "2"), ("a.b.txt", "a cat"), ("shot_1.0.jpg", "3"),
                ("shot_1.0.txt", "zero"), ("shot_1.1.jpg", "4"), ("shot_1.1.txt", "one"), ("c.left.png", "5"),
                ("c.right.png", "6"), ("c.json", #"{"caption": "both"}"#),
            ]
            let file = try folder.adding("a.tar", tarArchive(members.map { ($0, Array($1.utf8)) }))
            let (items, damages) = try await walk(Source.open(file))
            #expect(items.map(\.text) == ["a dog", "a cat", "zero", "one", "both", "both"] && damages.isEmpty)
        }
    }

    @Test("A source has one name from wherever it is named, and the output within it is no part of it")
    func names() async throws {
        try await withCollectionFolder { folder in
            let place = folder.path
            try folder.adding("p/a.jpg", "x")
            try folder.adding("p/out/gallery/b.jpg", "x")
            #expect(Source.name(place + "/p/") == place + "/p" && Source.name(place + "/q/../p") == place + "/p")
            #expect(Source.name("p") == FileManager.default.currentDirectoryPath + "/p")
            #expect(Source.name(place + "/p", images: place) != Source.name(place + "/p"))
            let all = try await walk(Source.open(place + "/p")).items.count
            let own = try await walk(Source.open(place + "/p", excluding: place + "/p/out/")).items.count
            #expect(all == 2 && own == 1)
        }
    }

    @Test("A damaged archive gives what is sound, and the others follow")
    func damagedArchives() async throws {
        try await withCollectionFolder { folder in
            let good = tarArchive(shard)
            try folder.adding("shard-000.tar", Array(good.prefix(2000)))
            try folder.adding("shard-001.tar", "noise")
            try folder.adding("shard-003.tar", good)
            let (items, damages) = try await walk(Source.open(folder.path + "/shard-{000..003}.tar"))
            #expect(items.count == 5)
            #expect(items.first?.text == "a dog")
            #expect(
                damages.map { $0.place.dropFirst(folder.path.count + 1) } == [
                    "shard-000.tar", "shard-001.tar", "shard-002.tar", "shard-003.tar, 0/b.json",
                ])
            // The same shards by their folder.
            let listed = try await walk(Source.open(folder.path + "/"))
            #expect(listed.items.map(\.key) == items.map(\.key))
        }
    }

    @Test("A pattern with braces names files in order; one that cannot be meant is refused")
    func patterns() async throws {
        #expect(
            (try Source.open("/x/{a,b}/s-{08..11}.tar") as? WebDatasetSource)?.archives == [
                "/x/a/s-08.tar", "/x/a/s-09.tar", "/x/a/s-10.tar", "/x/a/s-11.tar", "/x/b/s-08.tar", "/x/b/s-09.tar",
                "/x/b/s-10.tar", "/x/b/s-11.tar",
            ])
        for pattern in [
            "s-{000..99999999999}.tar", "s-{0..999}{0..999}{0..9}.tar", "s-{0..1.tar", "s-{}.tar", "s-{3..1}.tar",
            "s-{a..b}.tar",
            "s-{0..1}.zip", "s-{{0..1}}.tar", "s-{0..99999999999999999999}.tar",
        ] {
            #expect(throws: CollectionError.self, "\(pattern)") { try Source.open(pattern) }
        }
    }

    // MARK: Instructions

    @Test("Instruction data is read as an array and as lines, with its pictures' folder")
    func instructions() async throws {
        let objects = [
            #"{"id": 1, "image": "a/x.jpg", "conversations": [{"from": "human", "value": "<image>\nWhat {is} \"this\"?"}, {"from": "gpt", "value": "A ] dog."}]}"#,
            #"{"id": 2, "conversations": []}"#, #"{"image": "../../etc/x.jpg"}"#, #"{"image": "/etc/x.jpg"}"#,
            #"{"image": "https://example.org/y.jpg", "conversations": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}"#,
            #"{"image": "a/x.jpg", "conversations": [{"from": "human", "value": "Again?"}, {"from": "gpt", "value": "Yes."}]}"#,
        ]
        try await withCollectionFolder { folder in
            let array = try folder.adding("llava.json", "[\n" + objects.joined(separator: ",\n") + "\n]\n")
            let lines = try folder.adding("llava.jsonl", objects.joined(separator: "\n"))
            for place in [array, lines] {
                let (items, damages) = try await walk(Source.open(place))
                try #require(items.count == 3)
                #expect(items[0].location == .file(path: folder.path + "/a/x.jpg"))
                #expect(
                    items[0].conversation == [ConversationTurn(question: "What {is} \"this\"?", answer: "A ] dog.")])
                #expect(items[1].location == .url("https://example.org/y.jpg") && items[1].conversation?.count == 1)
                #expect(items[0].key != items[2].key && items.allSatisfy { isKey($0.key) })
                #expect(damages.map(\.place) == ["\(place), object 3", "\(place), object 4"])
            }
            let elsewhere = try await walk(Source.open(array, images: "/pictures"))
            #expect(elsewhere.items[0].location == .file(path: "/pictures/a/x.jpg"))
        }
    }

    @Test(
        "Instruction data that breaks off gives what is whole",
        arguments: [
            #"[{"image": "a"}, {"image": "b"#, #"[{"image": "a"},"#, #"[{"image": "a"} x"#, "[", "null",
            #"[{"image": "a"}, [{"image": "b"}]]"#,
        ])
    func brokenInstructions(text: String) async throws {
        try await withCollectionFolder { folder in
            let (items, damages) = try await walk(Source.open(folder.adding("x.json", text)))
            #expect(items.count == (text.hasPrefix("[{") ? 1 : 0))
            #expect(!damages.isEmpty)
        }
    }

    // MARK: Choice

    @Test("What names no source says what would")
    func unknown() async throws {
        try await withCollectionFolder { folder in
            let places = [
                folder.path + "/missing.tar", try folder.adding("x.tar.gz", "x"), try folder.adding("x.jpg", "x"),
                try folder.adding("x.csv", "x"), "",
            ]
            for place in places { #expect(throws: CollectionError.self, "\(place)") { try Source.open(place) } }
            try folder.adding("x.tar", "x")
            #expect(throws: CollectionError.self) { try Source.open(folder.path) }
        }
    }
}
