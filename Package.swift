// swift-tools-version: 6.1
import PackageDescription

// libtorch: a `torch` wheel's folder with `include/` and `lib/`. `Scripts/bootstrap.sh` puts one under `.deps/`.
let libtorch = Context.environment["LIBTORCH"] ?? "\(Context.packageDirectory)/.deps/libtorch"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "ChatRex",
    platforms: [.macOS(.v14)],
    products: [],
    dependencies: [],
    targets: [
        .target(name: "Boxes", swiftSettings: swiftSettings),
        .systemLibrary(
            name: "CLibvips", pkgConfig: "vips", providers: [.apt(["libvips-dev"]), .brew(["vips"])]),
        .target(name: "CVips", dependencies: ["CLibvips"]),
        .target(name: "Imaging", dependencies: ["CVips"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ImagingTests", dependencies: ["Imaging"], exclude: ["Fixtures"], swiftSettings: swiftSettings),
        .testTarget(name: "BoxesTests", dependencies: ["Boxes"], swiftSettings: swiftSettings),
        .systemLibrary(
            name: "CLibrsvg", pkgConfig: "librsvg-2.0", providers: [.apt(["librsvg2-dev"]), .brew(["librsvg"])]),
        .target(name: "CSVG", dependencies: ["CLibrsvg"]),
        .target(name: "Scenes", dependencies: ["Boxes", "CSVG", "Imaging"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ScenesTests", dependencies: ["Boxes", "Imaging", "Scenes"], swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
