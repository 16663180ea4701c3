"""The codebook `thumbwheel codebook init` writes: a support assistant's, with its reasons beside it."""

EXAMPLE = """\
# A codebook is the rubric people judge by. Keep it in git, change it by review,
# and publish it with `thumbwheel codebook publish FILE`: every published version
# is kept for ever, and every judgement remembers the version it was made under.
#
# One person owns it. Ask one question that has a yes and a no; a scale from 1 to
# 5 only moves the argument to what a 3 means.

name: support-assistant

# What reviewers answer for each trace: pass or fail, one key.
question: Would a customer who follows this answer get what they came for?

# The ways to fail. Start with few: read fifty failing traces, write down the
# first thing wrong in each, and group the notes. Every category needs
#   id          a slug that never changes; labels are counted under it
#   name        what reviewers see beside its key
#   definition  one or two sentences that decide the middle, not the obvious
#   positive    an example that is in it
#   negative    an example that is not
#   edge_case   a near miss that is not in it either, and why
#   key         optional: the letter that chooses it (p f e c s u k j x are taken)
# Changing a definition or an example quarantines the labels made under the old
# text until they are affirmed or made again. Changing a name or a key does not.
categories:
  - id: wrong-fact
    name: Wrong fact
    key: w
    definition: >
      The answer states something about our product, prices or policies that is
      not so. It counts even when the rest of the answer helps.
    positive: >
      "You can return it within 60 days." Our policy, in the retrieved document,
      says 30.
    negative: >
      "Returns usually take about a week." The policy says 5 to 7 days.
    edge_case: >
      A fact that was right when the document was written but has changed since:
      the document is wrong, not the answer. Choose "Missing knowledge".

  - id: missing-knowledge
    name: Missing knowledge
    key: m
    definition: >
      What the customer needed was not in the retrieved documents, or the
      documents were out of date, so no answer from them could have been right.
    positive: >
      Asked about the new family plan; the documents know only the old plans and
      the answer describes those.
    negative: >
      The right paragraph was retrieved and the answer overlooked it. Choose
      "Wrong fact" or "Missed the point".
    edge_case: >
      The answer says it does not know and hands over to a person. That is a
      pass: it did the best the documents allowed.

  - id: missed-point
    name: Missed the point
    key: d
    definition: >
      The answer is about something other than what was asked, or leaves out the
      part the customer cannot go on without.
    positive: >
      "How do I cancel and keep my number?" is answered with how to cancel.
    negative: >
      The answer gives the steps in an order the customer did not expect, but all
      of them are there.
    edge_case: >
      The question itself can be read two ways and the answer takes one of them,
      saying so. Not a failure, even if the customer meant the other.

  - id: needless-refusal
    name: Needless refusal
    key: n
    definition: >
      The assistant declines, or sends the customer to a person, although the
      documents and tools at hand were enough.
    positive: >
      "I cannot help with invoices", while the invoice tool is available and the
      customer is signed in.
    negative: >
      Declines to change another customer's address. It should.
    edge_case: >
      Asks one question back before it acts. A question is not a refusal, unless
      the answer to it was already in the conversation.

  - id: hard-to-use
    name: Hard to use
    key: h
    definition: >
      Everything needed is there and right, but a customer would not find it: far
      too long, wrong language, broken formatting, steps out of order.
    positive: >
      Nine paragraphs on the history of the tariff; the price is in the eighth.
    negative: >
      A long answer to a question that has many parts, each under its heading.
    edge_case: >
      A blunt tone. Unfriendly is not unusable; note it in the critique and pass.
"""
