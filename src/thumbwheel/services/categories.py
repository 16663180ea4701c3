"""Categories: strata for traces that come without one, learnt from what users ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from thumbwheel.capture.cluster import NONE, Cluster, Clustering, asked_of, learnt, words_of
from thumbwheel.domain.instant import CLOCK_SKEW
from thumbwheel.errors import Conflict
from thumbwheel.keep.category import recategorise
from thumbwheel.keep.session import Session, Weigh
from thumbwheel.ports import FitClusters, Mint, Now
from thumbwheel.store.clusterings import StoredClustering
from thumbwheel.store.ledger import Ledger, Tx

__all__ = ["Categories", "Cluster", "Clustering", "Kept"]

#: Traces given a category in one transaction.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of the clusters, and who put it in force."""

    clustering: Clustering
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Categories:
    """Clusters of requests, from learning to giving them to traces. It proposes; a person puts it in force."""

    ledger: Ledger
    now: Now
    mint: Mint
    fit_clusters: FitClusters
    weigh: Weigh

    def versions(self, project_id: int) -> list[Kept]:
        """Every version, the one in force first."""
        with self.ledger.read(project_id) as tx:
            found = tx.clusterings.list_all()
        return [Kept(Clustering.of_json(each.body), each.made_at, each.made_by) for each in found]

    def fit(self, project_id: int, n: int = 12, last: int = 5_000, seed: int = 0) -> Clustering:
        """At most `n` clusters of the requests of the last traces without a category of their own; not put in force.

        A cluster that was there before keeps its name.

        Raises:
            Conflict: there are too few requests, or they have nothing in common.
        """
        with self.ledger.read(project_id) as tx:
            before = _in_force(tx)
            ours = {None, *before.names, *before.spent}
            texts = [asked_of(trace) for _, trace in tx.traces.list_newest(last) if trace.category in ours]
        found = self.fit_clusters(
            texts,
            n,
            seed=seed,
            words_of=words_of,
            before={cluster.name: cluster.words for cluster in before.clusters},
            spent=before.spent,
        )
        return learnt(found, texts, before)

    def apply(self, project_id: int, clustering: Clustering, by: str) -> Clustering:
        """Put a version in force for traces that come from now on; the versions before are kept, and who did it too.

        Raises:
            Conflict: another version was put in force since it was made.
        """
        with self.ledger.begin(project_id) as tx:
            now = self.now()
            kept = StoredClustering(clustering.version, now, by, clustering.to_json())
            if _in_force(tx).version != clustering.version - 1 or not tx.clusterings.add(kept):
                raise Conflict("Somebody else has changed the clusters meanwhile; try again.")
            # A project without clusters is not asked for them at every arrival.
            chosen = tx.people.project_settings(project_id)
            tx.people.set_project(project_id, chosen | {"clusters": len(clustering.clusters)})
            subject = f"clusters {clustering.version}"
            tx.people.audit(
                project_id, id=self.mint(), actor=by, action="categories", subject=subject, at=now, why=None
            )
        return clustering

    def rename(self, project_id: int, old: str, new: str, by: str) -> Clustering:
        """Call a cluster something else from now on; traces that have the old name keep it.

        Raises:
            Invalid: there is no such cluster, or the new name is none.
            Conflict: the new name stands, or stood, for another cluster.
        """
        with self.ledger.read(project_id) as tx:
            renamed = _in_force(tx).renamed(old, new)
        return self.apply(project_id, renamed, by)

    def clear(self, project_id: int, by: str) -> Clustering:
        """Give up clusters: traces without a category stay without one. Names are not given again."""
        with self.ledger.read(project_id) as tx:
            cleared = _in_force(tx).cleared()
        return self.apply(project_id, cleared, by)

    def assign(self, project_id: int, window: timedelta = timedelta(days=30)) -> int:
        """Give a category to traces of the window that have none and that no draw has counted yet; how many got one."""
        since, before_ref, n = self.now() - window, None, 0
        while True:
            # The archive's lock: no draw may close its frame while counters move.
            with self.ledger.archive(project_id) as tx:
                found = tx.traces.list_newest(_AT_ONCE, before_ref)
                session = Session(tx, self.now(), b"", self.weigh)
                n += recategorise(session, [(ref, trace) for ref, trace in found if trace.started_at >= since])
                before_ref = found[-1][0] if found else None
                # What came before the window began cannot have started in it, but for a clock that is wrong.
                came = tx.listings.received([before_ref]).get(before_ref) if before_ref else None
            if len(found) < _AT_ONCE or came is None or came < since - CLOCK_SKEW:
                return n


def _in_force(tx: Tx) -> Clustering:
    stored = tx.clusterings.find_current()
    return NONE if stored is None else Clustering.of_json(stored)
