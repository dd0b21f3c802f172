"""Hard negatives: mined with a retriever and scored by a teacher."""
