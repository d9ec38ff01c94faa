"""Which types of scikit-learn a file may hold.

An estimator is `PLAIN` where all its answers are computed by Python, numpy and scipy, whose bounds
are checked: damaged numbers give wrong answers or errors, never a look outside memory. It is
`CHECKED` where compiled code believes its arrays; `invariants` compares these when a file is read.
Any other is refused, by `save` as by `load`, unless `load` is told to trust it by name.
"""

from __future__ import annotations

_PLAIN = """
ARDRegression AdaBoostClassifier AdaBoostRegressor AdditiveChi2Sampler BaggingClassifier
BaggingRegressor BayesianRidge BernoulliNB BernoulliRBM Binarizer CCA CalibratedClassifierCV
CategoricalNB ClassifierChain ColumnTransformer ComplementNB DictionaryLearning DummyClassifier
DummyRegressor ElasticNet ElasticNetCV FactorAnalysis FastICA FeatureUnion
FixedThresholdClassifier FrozenEstimator FunctionTransformer GammaRegressor GaussianNB
GaussianProcessClassifier GaussianProcessRegressor GaussianRandomProjection
GenericUnivariateSelect GridSearchCV HalvingGridSearchCV HalvingRandomSearchCV HuberRegressor
IncrementalPCA Isomap IsotonicRegression KBinsDiscretizer KNNImputer KernelCenterer KernelPCA
KernelRidge LabelBinarizer LabelEncoder LabelPropagation LabelSpreading Lars LarsCV Lasso LassoCV
LassoLars LassoLarsCV LassoLarsIC LatentDirichletAllocation LinearDiscriminantAnalysis
LinearRegression LinearSVC LinearSVR LocallyLinearEmbedding LogisticRegression
LogisticRegressionCV MLPClassifier MLPRegressor MaxAbsScaler MinMaxScaler
MiniBatchDictionaryLearning MiniBatchSparsePCA MissingIndicator MultiLabelBinarizer
MultiOutputClassifier MultiOutputRegressor MultiTaskElasticNet MultiTaskElasticNetCV
MultiTaskLasso MultiTaskLassoCV MultinomialNB NearestCentroid NeighborhoodComponentsAnalysis
Normalizer Nystroem OneVsOneClassifier OneVsRestClassifier OrdinalEncoder
OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV OutputCodeClassifier PCA PLSCanonical
PLSRegression PLSSVD PassiveAggressiveClassifier PassiveAggressiveRegressor PatchExtractor
Perceptron Pipeline PoissonRegressor PolynomialCountSketch PolynomialFeatures PowerTransformer
QuadraticDiscriminantAnalysis QuantileRegressor QuantileTransformer RANSACRegressor RBFSampler RFE
RFECV RandomizedSearchCV RegressorChain Ridge RidgeCV RidgeClassifier RidgeClassifierCV
RobustScaler SGDClassifier SGDRegressor SelectFdr SelectFpr SelectFromModel SelectFwe SelectKBest
SelectPercentile SelfTrainingClassifier SequentialFeatureSelector SimpleImputer SkewedChi2Sampler
SparseCoder SparsePCA SparseRandomProjection SplineTransformer StackingClassifier
StackingRegressor StandardScaler TargetEncoder TfidfTransformer TheilSenRegressor
TransformedTargetRegressor TruncatedSVD TweedieRegressor VarianceThreshold VotingClassifier
VotingRegressor
"""
PLAIN = frozenset(_PLAIN.split())
TREES = frozenset(
    {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"}
)
FORESTS = frozenset(
    {
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
        "RandomTreesEmbedding",
    }
)
BOOSTING = frozenset({"GradientBoostingClassifier", "GradientBoostingRegressor"})
HISTOGRAMS = frozenset({"HistGradientBoostingClassifier", "HistGradientBoostingRegressor"})
MACHINES = frozenset({"NuSVC", "NuSVR", "OneClassSVM", "SVC", "SVR"})
NEIGHBOURS = frozenset(
    {
        "KNeighborsClassifier",
        "KNeighborsRegressor",
        "KNeighborsTransformer",
        "NearestNeighbors",
        "RadiusNeighborsClassifier",
        "RadiusNeighborsRegressor",
        "RadiusNeighborsTransformer",
    }
)
MEANS = frozenset({"KMeans", "MiniBatchKMeans"})
FACTORS = frozenset({"MiniBatchNMF", "NMF"})
HASHING = frozenset({"FeatureHasher", "HashingVectorizer"})
VOCABULARIES = frozenset({"CountVectorizer", "DictVectorizer", "TfidfVectorizer"})
LEVELS = frozenset({"OneHotEncoder"})
CHECKED = (
    TREES | FORESTS | BOOSTING | HISTOGRAMS | MACHINES | NEIGHBOURS | MEANS | FACTORS | HASHING
    | VOCABULARIES | LEVELS
)  # fmt: skip

_KERNELS = (
    "CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern",
    "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel",
)  # fmt: skip
_SCORES = ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")
_SPLITS = ("KFold", "StratifiedKFold")
_SPARSE = tuple(
    f"_{kind}.{kind}_{form}"
    for kind in ("coo", "csc", "csr", "dia")
    for form in ("array", "matrix")
)
TREE = "sklearn.tree._tree.Tree"
BOOSTED = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
# inner types of estimators that skops does not trust of itself; all but the two kinds of tree are
# plain Python, and trees are checked
TRUSTED = (
    TREE,
    BOOSTED,
    "functools.partial",  # what it calls must be trusted by itself
    "numpy.dtype",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.metrics._scorer._PassthroughScorer",
    # What a scorer of scikit-learn 1.7 holds: words, by the name of a method.
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    *(f"scipy.sparse.{name}" for name in _SPARSE),
    "sklearn.utils.validation.check_array",  # what boosting with categories calls on its numbers
    *(f"sklearn.gaussian_process.kernels.{name}" for name in _KERNELS),
    *(f"sklearn.feature_selection._univariate_selection.{name}" for name in _SCORES),
    *(f"sklearn.model_selection._split.{name}" for name in _SPLITS),
)
# what else scikit-learn's estimators hold, and skops lets pass
INNER = ("sklearn._loss.", "sklearn.linear_model._sgd_fast.")
BINS = "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper"


def may_be_held(name: str) -> bool:
    """Tell whether a file may hold this type of scikit-learn, given by its qualified name."""
    if name in TRUSTED or name == BINS or name.startswith(INNER):
        return True
    return name.rpartition(".")[2] in PLAIN | CHECKED and ".tests." not in name
