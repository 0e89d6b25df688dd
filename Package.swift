// swift-tools-version: 6.1
import PackageDescription

// libtorch: a `torch` wheel's folder with `include/` and `lib/`. `Scripts/bootstrap.sh` puts one under `.deps/`.
let libtorch = Context.environment["LIBTORCH"] ?? "\(Context.packageDirectory)/.deps/libtorch"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func part(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

let package = Package(
    name: "ChatRex",
    platforms: [.macOS(.v14)],
    products: [
        .executable(name: "chatrex", targets: ["ChatRexCommand"]),
        .library(name: "ChatRex", targets: ["Boxes", "ChatRex", "Imaging"]),
        .library(name: "ChatRexClient", targets: ["Boxes", "ChatRexAPI", "ChatRexClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .target(
            name: "CTorch",
            cxxSettings: [
                .headerSearchPath("Gloo"),
                .unsafeFlags([
                    "-I\(libtorch)/include", "-I\(libtorch)/include/torch/csrc/api/include",
                    "-Wno-deprecated-declarations",
                ]),
            ],
            linkerSettings: [
                .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]),
        part("Torch", ["CTorch"]),
        part("TorchNN", ["Torch"]),
        part("Checkpoints", ["Torch", "TorchNN"]),
        part("VisionEncoders", ["Torch", "TorchNN"]),
        part("Tokenizers"),
        part("LanguageModels", ["Torch", "TorchNN", "Tokenizers", "Checkpoints"]),
        part("Boxes"),
        part("UPN", ["Boxes", "Checkpoints", "Imaging", "Torch", "TorchNN", "VisionEncoders"]),
        part(
            "GoldenParity",
            [
                "Boxes", "ChatRex", "Checkpoints", "Imaging", "LanguageModels", "Tokenizers", "Torch", "TorchNN", "UPN",
                "VisionEncoders",
            ]),
        part("WebPages", ["Boxes", .product(name: "Crypto", package: "swift-crypto")]),
        part(
            "Evaluation",
            [
                "Annotations", "Boxes", "ChatRex", "Checkpoints", "Imaging", "LanguageModels", "Scenes", "UPN",
                "WebPages",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .systemLibrary(name: "CLibvips", pkgConfig: "vips", providers: [.apt(["libvips-dev"]), .brew(["vips"])]),
        .target(name: "CVips", dependencies: ["CLibvips"]),
        part("Imaging", ["CVips"]),
        .systemLibrary(
            name: "CLibrsvg", pkgConfig: "librsvg-2.0", providers: [.apt(["librsvg2-dev"]), .brew(["librsvg"])]),
        .target(name: "CSVG", dependencies: ["CLibrsvg"]),
        part(
            "ChatRex",
            [
                "Boxes", "Checkpoints", "Imaging", "LanguageModels", "Tokenizers", "Torch", "TorchNN", "UPN",
                "VisionEncoders",
            ]),
        part("ChatRexAPI", ["Boxes"]),
        part("ChatRexClient", ["Boxes", "ChatRexAPI"]),
        part("Scenes", ["Annotations", "Boxes", "CSVG", "Imaging"]),
        part(
            "Downloading",
            [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        part("Recipes", [.product(name: "Yams", package: "Yams")]),
        part("Annotations", ["Boxes", .product(name: "Crypto", package: "swift-crypto")]),
        part(
            "GroundingDINO",
            [
                "Boxes", "Checkpoints", "Imaging", "LanguageModels", "Tokenizers", "Torch", "TorchNN", "UPN",
                "VisionEncoders",
            ]),
        part(
            "DataEngine",
            [
                "Annotations", "Boxes", "ChatRex", "Checkpoints", "Downloading", "GroundingDINO", "Imaging",
                "LanguageModels", "Recipes", "Tokenizers", "Torch", "TorchNN", "UPN", "VisionEncoders", "WebPages",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ], resources: ["worker", "noun_phrases", "parquet_rows"].map { .embedInCode("Workers/\($0).py") }),
        part(
            "WebApp",
            resources: [
                "index.html", "app.css", "app.js", "overlay.js", "export.js", "service.js", "icon.svg", "openapi.json",
            ].map { .embedInCode($0) }),
        part(
            "Server",
            [
                "Boxes", "ChatRex", "ChatRexAPI", "Checkpoints", "Downloading", "Imaging", "LanguageModels", "Torch",
                "UPN", "WebApp",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        part(
            "Training",
            [
                "Annotations", "Boxes", "ChatRex", "Checkpoints", "DataEngine", "Evaluation", "Imaging",
                "LanguageModels", "Recipes", "Scenes", "Tokenizers", "Torch", "TorchNN", "UPN", "VisionEncoders",
            ]),

        .executableTarget(
            name: "ChatRexCommand",
            dependencies: [
                "Annotations", "Boxes", "ChatRex", "Checkpoints", "DataEngine", "Downloading", "Evaluation",
                "GoldenParity", "GroundingDINO", "Imaging", "LanguageModels", "Recipes", "Scenes", "Server",
                "Tokenizers", "Torch", "TorchNN", "Training", "UPN",
                "VisionEncoders",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "detect-objects", dependencies: ["Boxes", "ChatRex", "Imaging"], path: "Examples/DetectObjects",
            swiftSettings: swiftSettings),

        tests("Torch", ["Torch"]),
        tests("TorchNN", ["Torch", "TorchNN"]),
        tests("Checkpoints", ["Checkpoints", "Torch", "TorchNN"]),
        tests(
            "UPN",
            ["Boxes", "Checkpoints", "GoldenParity", "Imaging", "Torch", "TorchNN", "UPN", "VisionEncoders"],
            exclude: ["Fixtures"]),
        tests("Boxes", ["Boxes"]),
        tests("Tokenizers", ["Tokenizers"], exclude: ["Fixtures"]),
        tests("LanguageModels", ["Checkpoints", "LanguageModels", "Torch", "TorchNN"], exclude: ["Fixtures"]),
        tests(
            "ChatRex",
            [
                "Boxes", "ChatRex", "Checkpoints", "Imaging", "LanguageModels", "Scenes", "Tokenizers", "Torch",
                "TorchNN", "VisionEncoders",
            ]),
        tests("Evaluation", ["Boxes", "ChatRex", "Evaluation", "Imaging", "LanguageModels"], exclude: ["Fixtures"]),
        tests("Imaging", ["Imaging"], exclude: ["Fixtures"]),
        tests("GoldenParity", ["GoldenParity"]),
        tests(
            "ChatRexCommand",
            [
                "ChatRex", "ChatRexCommand", "Imaging", "LanguageModels", "Scenes", "Tokenizers", "Torch", "TorchNN",
                "UPN", "VisionEncoders",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests(
            "Training",
            [
                "Annotations", "Boxes", "ChatRex", "Checkpoints", "DataEngine", "Imaging", "LanguageModels", "Recipes",
                "Scenes", "Tokenizers", "Torch", "TorchNN", "Training", "UPN", "VisionEncoders",
            ]),
        tests("Scenes", ["Annotations", "Boxes", "Imaging", "Scenes"]),
        tests("Annotations", ["Annotations", "Boxes"]),
        tests(
            "GroundingDINO",
            [
                "Boxes", "Checkpoints", "GroundingDINO", "Imaging", "Tokenizers", "Torch", "TorchNN", "UPN",
                "VisionEncoders",
            ], exclude: ["Fixtures"]),
        tests(
            "DataEngine",
            [
                "Annotations", "Boxes", "ChatRex", "Checkpoints", "DataEngine", "Downloading", "GroundingDINO",
                "Imaging",
                "Scenes", "Torch", "TorchNN", "VisionEncoders",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        tests(
            "Downloading",
            [
                "Downloading", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        tests(
            "Server",
            [
                "Boxes", "ChatRex", "ChatRexAPI", "ChatRexClient", "Downloading", "Imaging", "Server",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
