//! The book's code: every Rust block of every chapter is a documentation test of this package.

/// The chapters, each the documentation of a type, so that rustdoc tests what they show.
#[cfg(doctest)]
mod chapters {
    macro_rules! chapters {
        ($($name:ident: $path:literal),* $(,)?) => { $(#[doc = include_str!($path)] struct $name;)* };
    }

    chapters! {
        FromTonic: "src/from-tonic.md",
        LifeOfACall: "src/life-of-a-call.md",
        Names: "src/names.md",
        ServiceConfig: "src/service-config.md",
        LoadBalancing: "src/load-balancing.md",
        Deadlines: "src/deadlines.md",
        Errors: "src/errors.md",
        Connections: "src/connections.md",
        Server: "src/server.md",
        Health: "src/health.md",
    }
}

/// What the chapter "A policy from scratch" shows.
#[cfg(test)]
#[path = "src/listings/round_robin.rs"]
mod round_robin;

#[cfg(test)]
mod tests;
