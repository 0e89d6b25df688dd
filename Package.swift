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
        .target(
            name: "CTorch",
            cxxSettings: [.unsafeFlags(["-I\(libtorch)/include", "-Wno-deprecated-declarations"])],
            linkerSettings: [
                .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]),
        .target(name: "Torch", dependencies: ["CTorch"], swiftSettings: swiftSettings),
        .target(name: "TorchNN", dependencies: ["Torch"], swiftSettings: swiftSettings),
        .target(name: "Boxes", swiftSettings: swiftSettings),
        .testTarget(name: "TorchTests", dependencies: ["Torch"], swiftSettings: swiftSettings),
        .testTarget(name: "TorchNNTests", dependencies: ["Torch", "TorchNN"], swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
