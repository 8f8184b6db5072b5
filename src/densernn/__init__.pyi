from . import datasets as datasets
from . import paper as paper
from . import plotting as plotting
from . import solvers as solvers
from .cluster import Cluster as Cluster
from .estimators import ClusterFeatures as ClusterFeatures
from .estimators import DenseRNNClassifier as DenseRNNClassifier
from .estimators import DenseRNNRegressor as DenseRNNRegressor
from .estimators import RNNAutoencoder as RNNAutoencoder
from .estimators import RNNELMClassifier as RNNELMClassifier
from .estimators import RNNELMRegressor as RNNELMRegressor
from .gnetwork import RandomNeuralNetwork as RandomNeuralNetwork
from .persistence import load as load
from .persistence import save as save
from .preparation import SplitScaler as SplitScaler
from .preparation import UnitScaler as UnitScaler
from .row_standardizer import RowStandardizer as RowStandardizer
from .sign_splitter import SignSplitter as SignSplitter
from .sources.open import open_rows as open_rows
from .sources.rows import RowSource as RowSource
from .stats import ClassCounts as ClassCounts
from .stats import Extrema as Extrema
from .stats import Marginals as Marginals
from .stats import Moments as Moments
from .subsampling import ImageSubsampler as ImageSubsampler
from .whitening import ZCAWhitener as ZCAWhitener

__version__: str
