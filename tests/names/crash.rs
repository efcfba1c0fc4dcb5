// SPDX-License-Identifier: Apache-2.0
// Dies inside functions that are inlined: tests/names/run.py.
mod deep {
    pub struct Reader {
        pub at: *const i32,
    }

    impl Reader {
        #[inline(always)]
        pub fn read(&self) -> i32 {
            unsafe { core::ptr::read_volatile(self.at) }
        }
    }

    #[inline(never)]
    pub fn add<T: Into<i64>>(reader: &Reader, more: T) -> i64 {
        let value = reader.read() as i64;
        value + more.into()
    }
}

fn main() {
    let reader = deep::Reader { at: (std::env::args().count() - 1) as *const i32 };
    println!("{}", deep::add(&reader, 7i32));
}
