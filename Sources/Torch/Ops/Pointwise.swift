// Element by element.

private enum Ops {
    static let add = Operator("add.Tensor")
    static let addScalar = Operator("add.Scalar")
    static let sub = Operator("sub.Tensor")
    static let subScalar = Operator("sub.Scalar")
    static let rsub = Operator("rsub.Scalar")
    static let mul = Operator("mul.Tensor")
    static let mulScalar = Operator("mul.Scalar")
    static let div = Operator("div.Tensor")
    static let divScalar = Operator("div.Scalar")
    static let divMode = Operator("div.Scalar_mode")
    static let remainder = Operator("remainder.Scalar")
    static let neg = Operator("neg")
    static let exp = Operator("exp")
    static let log = Operator("log")
    static let log1p = Operator("log1p")
    static let sqrt = Operator("sqrt")
    static let rsqrt = Operator("rsqrt")
    static let sin = Operator("sin")
    static let cos = Operator("cos")
    static let abs = Operator("abs")
    static let floor = Operator("floor")
    static let round = Operator("round")
    static let pow = Operator("pow.Tensor_Scalar")
    static let powTensor = Operator("pow.Tensor_Tensor")
    static let sigmoid = Operator("sigmoid")
    static let logit = Operator("logit")
    static let tanh = Operator("tanh")
    static let relu = Operator("relu")
    static let gelu = Operator("gelu")
    static let silu = Operator("silu")
    static let reciprocal = Operator("reciprocal")
    static let clamp = Operator("clamp")
    static let maximum = Operator("maximum")
    static let minimum = Operator("minimum")
    static let whereOp = Operator("where.self")
    static let whereScalar = Operator("where.ScalarOther")
    static let maskedFill = Operator("masked_fill.Scalar")
    static let eq = Operator("eq.Scalar")
    static let eqTensor = Operator("eq.Tensor")
    static let ne = Operator("ne.Scalar")
    static let lt = Operator("lt.Scalar")
    static let gt = Operator("gt.Scalar")
    static let le = Operator("le.Scalar")
    static let ge = Operator("ge.Scalar")
    static let ltTensor = Operator("lt.Tensor")
    static let geTensor = Operator("ge.Tensor")
    static let logicalNot = Operator("logical_not")
    static let logicalAnd = Operator("logical_and")
    static let logicalOr = Operator("logical_or")
    static let isfinite = Operator("isfinite")
    static let nanToNum = Operator("nan_to_num")
}

extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor { try Ops.add(.tensor(a), .tensor(b)) }
    public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try Ops.addScalar(.tensor(a), .double(b))
    }
    public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor { try Ops.sub(.tensor(a), .tensor(b)) }
    public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try Ops.subScalar(.tensor(a), .double(b))
    }
    public static func - (a: Double, b: Tensor) throws(TorchError) -> Tensor { try Ops.rsub(.tensor(b), .double(a)) }
    public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor { try Ops.mul(.tensor(a), .tensor(b)) }
    public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try Ops.mulScalar(.tensor(a), .double(b))
    }
    public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor { try Ops.div(.tensor(a), .tensor(b)) }
    public static func / (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try Ops.divScalar(.tensor(a), .double(b))
    }
    public static prefix func - (a: Tensor) throws(TorchError) -> Tensor { try Ops.neg(.tensor(a)) }

    /// Quotient rounded toward minus infinity.
    public func floorDivided(by divisor: Double) throws(TorchError) -> Tensor {
        try Ops.divMode(.tensor(self), .double(divisor), .string("floor"))
    }
    /// Remainder with the sign of the divisor.
    public func remainder(by divisor: Double) throws(TorchError) -> Tensor {
        try Ops.remainder(.tensor(self), .double(divisor))
    }

    public func exp() throws(TorchError) -> Tensor { try Ops.exp(.tensor(self)) }
    public func log() throws(TorchError) -> Tensor { try Ops.log(.tensor(self)) }
    /// log(1 + x)
    public func log1p() throws(TorchError) -> Tensor { try Ops.log1p(.tensor(self)) }
    public func squareRoot() throws(TorchError) -> Tensor { try Ops.sqrt(.tensor(self)) }
    public func reciprocalSquareRoot() throws(TorchError) -> Tensor { try Ops.rsqrt(.tensor(self)) }
    public func reciprocal() throws(TorchError) -> Tensor { try Ops.reciprocal(.tensor(self)) }
    public func sine() throws(TorchError) -> Tensor { try Ops.sin(.tensor(self)) }
    public func cosine() throws(TorchError) -> Tensor { try Ops.cos(.tensor(self)) }
    public func absolute() throws(TorchError) -> Tensor { try Ops.abs(.tensor(self)) }
    public func floor() throws(TorchError) -> Tensor { try Ops.floor(.tensor(self)) }
    /// Half goes to even.
    public func rounded() throws(TorchError) -> Tensor { try Ops.round(.tensor(self)) }
    public func power(_ exponent: Double) throws(TorchError) -> Tensor { try Ops.pow(.tensor(self), .double(exponent)) }

    public func power(_ exponents: Tensor) throws(TorchError) -> Tensor {
        try Ops.powTensor(.tensor(self), .tensor(exponents))
    }

    /// 1 / (1 + e^-x)
    public func sigmoid() throws(TorchError) -> Tensor { try Ops.sigmoid(.tensor(self)) }
    /// log(x / (1 - x)), the inverse of `sigmoid`; x is kept within epsilon and 1 - epsilon.
    public func logit(epsilon: Double) throws(TorchError) -> Tensor { try Ops.logit(.tensor(self), .double(epsilon)) }
    public func tanh() throws(TorchError) -> Tensor { try Ops.tanh(.tensor(self)) }
    /// max(x, 0)
    public func relu() throws(TorchError) -> Tensor { try Ops.relu(.tensor(self)) }
    /// x * Phi(x), exact (by erf).
    public func gelu() throws(TorchError) -> Tensor { try Ops.gelu(.tensor(self), .string("none")) }
    /// x * sigmoid(1.702 x), the approximation that CLIP was trained with.
    public func quickGELU() throws(TorchError) -> Tensor { try self * (self * 1.702).sigmoid() }
    /// x * sigmoid(x)
    public func silu() throws(TorchError) -> Tensor { try Ops.silu(.tensor(self)) }

    /// Limits every element to a closed interval; nil leaves a side open.
    public func clamped(_ low: Double?, _ high: Double?) throws(TorchError) -> Tensor {
        try Ops.clamp(.tensor(self), low.map { .double($0) } ?? .none, high.map { .double($0) } ?? .none)
    }
    public func maximum(_ other: Tensor) throws(TorchError) -> Tensor { try Ops.maximum(.tensor(self), .tensor(other)) }
    public func minimum(_ other: Tensor) throws(TorchError) -> Tensor { try Ops.minimum(.tensor(self), .tensor(other)) }

    /// This mask's choice: `a` where true, else `b`.
    public func choosing(_ a: Tensor, else b: Tensor) throws(TorchError) -> Tensor {
        try Ops.whereOp(.tensor(self), .tensor(a), .tensor(b))
    }
    /// This mask's choice: `a` where true, else `b`.
    public func choosing(_ a: Tensor, else b: Double) throws(TorchError) -> Tensor {
        try Ops.whereScalar(.tensor(self), .tensor(a), .double(b))
    }
    /// A copy with `value` where the mask is true.
    public func filled(where mask: Tensor, with value: Double) throws(TorchError) -> Tensor {
        try Ops.maskedFill(.tensor(self), .tensor(mask), .double(value))
    }

    public func equal(to value: Double) throws(TorchError) -> Tensor { try Ops.eq(.tensor(self), .double(value)) }
    public func equal(to other: Tensor) throws(TorchError) -> Tensor { try Ops.eqTensor(.tensor(self), .tensor(other)) }
    public func notEqual(to value: Double) throws(TorchError) -> Tensor { try Ops.ne(.tensor(self), .double(value)) }
    public func less(than value: Double) throws(TorchError) -> Tensor { try Ops.lt(.tensor(self), .double(value)) }
    public func less(than other: Tensor) throws(TorchError) -> Tensor {
        try Ops.ltTensor(.tensor(self), .tensor(other))
    }
    public func greater(than value: Double) throws(TorchError) -> Tensor { try Ops.gt(.tensor(self), .double(value)) }
    public func lessOrEqual(to value: Double) throws(TorchError) -> Tensor { try Ops.le(.tensor(self), .double(value)) }
    public func greaterOrEqual(to value: Double) throws(TorchError) -> Tensor {
        try Ops.ge(.tensor(self), .double(value))
    }
    public func greaterOrEqual(to other: Tensor) throws(TorchError) -> Tensor {
        try Ops.geTensor(.tensor(self), .tensor(other))
    }
    public func logicalNot() throws(TorchError) -> Tensor { try Ops.logicalNot(.tensor(self)) }
    public func logicalAnd(_ other: Tensor) throws(TorchError) -> Tensor {
        try Ops.logicalAnd(.tensor(self), .tensor(other))
    }
    public func logicalOr(_ other: Tensor) throws(TorchError) -> Tensor {
        try Ops.logicalOr(.tensor(self), .tensor(other))
    }
    /// True where an element is neither infinite nor NaN.
    public func isFinite() throws(TorchError) -> Tensor { try Ops.isfinite(.tensor(self)) }
}
