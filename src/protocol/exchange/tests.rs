use super::*;

/// A generator of the same numbers in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

// 2920-03, 2920-06, V3, V4: any rules, any number of recipients, and every kind of trouble, from none to nothing else.
#[test]
fn any_dialog_is_planned_as_its_replies_say() {
    let mut numbers = Numbers(0x5321_2920_2033_1870);
    for round in 0..24_000_u64 {
        let trouble = [0, 1, 8, 50, 128, 255][(round % 6) as usize];
        let mut script: Vec<u8> = (0..3).map(|_| numbers.octet()).collect();
        script[2] = if round % 2 == 0 { 0 } else { script[2] };
        for _ in 0..numbers.octet() {
            let is_trouble = numbers.octet() < trouble;
            script.push(if is_trouble { numbers.octet() } else { 0 });
        }
        fuzz_exchange(&script);
    }
}
