//! Rule E1 (docs/spec/encoding.md): which Ed25519 signatures are accepted.
//!
//! Law: what is accepted here is accepted by `ledger/signing.py`. The group element that must be R is computed without
//! a cofactor and compared as its one canonical encoding. Verification has no secrets, so its time may vary.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest, Sha512};

pub const KEY_BYTES: usize = 32;
pub const SIGNATURE_BYTES: usize = 64;

/// Keys whose points are remembered; when there are more, all are forgotten, which costs time only.
const POINTS_MAX: usize = 4096;

/// The prime 2^255 - 19, little-endian.
const PRIME: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// The y coordinates of the eight points of small order: 0, 1, p - 1 and two of order eight, little-endian.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
];

/// Says whether 32 bytes are a canonical encoding (y < p) of a y that no point of small order has.
fn is_acceptable_point(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    y[31] &= 0x7f;
    y.iter().rev().lt(PRIME.iter().rev()) && !SMALL_ORDER_Y.contains(&y)
}

/// The points of keys that were seen, negated: taking one from its encoding is a sixth of a verification.
#[derive(Default)]
pub struct Keys {
    negated: BTreeMap<[u8; KEY_BYTES], EdwardsPoint>,
}

impl Keys {
    /// Says whether the signature is accepted under rule E1.
    pub fn verify(&mut self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        self.expected(key, message, signature).is_some_and(|(point, r)| point.compress() == r)
    }

    /// Says the same of many, each a key, a message and a signature.
    pub fn verify_many<'a>(&mut self, items: impl Iterator<Item = (&'a [u8], &'a [u8], &'a [u8])>) -> Vec<bool> {
        let mut verdicts = Vec::new();
        let mut places = Vec::new();
        let mut points = Vec::new();
        for (key, message, signature) in items {
            if let Some((point, r)) = self.expected(key, message, signature) {
                places.push((verdicts.len(), r));
                points.push(point);
            }
            verdicts.push(false);
        }
        // One inversion in the field for all of them; the encodings are those of `compress`.
        let encodings = EdwardsPoint::compress_batch_alloc(&points);
        for ((place, r), encoding) in places.into_iter().zip(encodings) {
            verdicts[place] = encoding == r;
        }
        verdicts
    }

    /// Returns S*B - h*A, which must be R, and R; None if the form of the signature or the key is refused.
    fn expected(&mut self, key: &[u8], message: &[u8], signature: &[u8]) -> Option<(EdwardsPoint, CompressedEdwardsY)> {
        let key: &[u8; KEY_BYTES] = key.try_into().ok()?;
        let signature: &[u8; SIGNATURE_BYTES] = signature.try_into().ok()?;
        let r: [u8; 32] = signature[..32].try_into().ok()?;
        let s: [u8; 32] = signature[32..].try_into().ok()?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s))?; // E1: S < L
        if !is_acceptable_point(key) || !is_acceptable_point(&r) {
            return None; // E1: A and R canonical, and of no small order
        }
        let negated = self.negated(key)?;
        let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize();
        let h = Scalar::from_bytes_mod_order_wide(&hash.into());
        let point = EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, &negated, &s);
        Some((point, CompressedEdwardsY(r)))
    }

    /// Returns -A; None if the key is no point of the curve.
    fn negated(&mut self, key: &[u8; KEY_BYTES]) -> Option<EdwardsPoint> {
        if let Some(known) = self.negated.get(key) {
            return Some(*known);
        }
        let negated = -CompressedEdwardsY(*key).decompress()?;
        if self.negated.len() >= POINTS_MAX {
            self.negated.clear();
        }
        self.negated.insert(*key, negated);
        Some(negated)
    }
}
